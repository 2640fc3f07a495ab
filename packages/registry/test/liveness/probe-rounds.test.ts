// Rounds of probes: agents that cannot be probed in time do not keep others from being probed, and are not judged for it.
import { systemClock } from '@hypercode/clock';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openDatabase } from '@hypercode/stores';
import { migratedFolder } from '@hypercode/stores/testing';
import { createLocalSignal } from '@hypercode/feed';
import { trackLeaks } from '@hypercode/testkit';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { CommandResult } from '../../src/agents/group-commit.ts';
import type { Schema } from '../../src/schema.ts';
import { Replicas, until } from '../swarm.ts';
import { defaultRules } from '../../src/probes/address-rules.ts';
import { Prober } from '../../src/probes/probe.ts';
import { ProbeRounds } from '../../src/liveness/probe-rounds.ts';
import { registrySchema } from '../../src/database-schema.ts';

const replicas = new Replicas(async () => {
  const folder = await migratedFolder('probe-rounds', [registrySchema]);
  const database = await openDatabase({ dataDir: folder.path });
  return {
    connect: async () => ({ database, close: async () => undefined }),
    signal: createLocalSignal,
    trackLeaks,
    close: () => database.close().then(() => folder.remove()),
  };
});

test('agents behind one origin that hangs do not take the room of all others', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/well') response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  // Its timers never run, so all probes are those of the rounds below.
  const swarm = await replicas.swarm({ clock: { ...systemClock, schedule: () => () => undefined } });
  const hanging = Array.from({ length: 60 }, (_, i) => `hanging-${i}`);
  await Promise.all(hanging.map((name) => swarm.register(name, { healthUrl: `http://127.0.0.1:${port}/${name}` })));
  await swarm.register('ada', { healthUrl: `http://localhost:${port}/well` });
  let alive = 0;
  const errors: unknown[] = [];
  const rounds = new ProbeRounds({
    db: swarm.replica.database.kysely.$extendTables<Schema>(),
    prober: new Prober({
      timeoutMs: 100,
      maxWaitMs: 200,
      allow: defaultRules('embedded'),
      clock: systemClock,
      limits: { maxConcurrentPerOrigin: 1 },
    }),
    settings: { leaseMs: 60_000, expireAfterMs: 3_600_000, threshold: 3, openMs: 30_000 },
    intervalMs: 400,
    clock: systemClock,
    onAlive: () => (alive += 1),
    // What is shown does not matter here.
    submit: async () => ({}) as CommandResult,
    onError: (error) => errors.push(error),
    maxUnderWay: 30,
  });
  // One at a time of the hanging would take six seconds for a round of everybody.
  await until(() => expect(alive).toBeGreaterThanOrEqual(4), 10_000);
  expect(rounds.tally.givenUp).toBeGreaterThan(rounds.tally.bad);
  await rounds.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const judged = await Promise.all(hanging.map((name) => failuresOf(name)));
  expect(judged.reduce((all, failures) => all + failures)).toBeLessThanOrEqual(rounds.tally.bad);
  expect(errors).toEqual([]);

  async function failuresOf(name: string): Promise<number> {
    const row = await swarm.replica.database.kysely
      .$extendTables<Schema>()
      .selectFrom('agents')
      .select('liveness')
      .where('name', '=', name)
      .executeTakeFirstOrThrow();
    return row.liveness?.circuit.failures ?? 0;
  }
});

test('an agent that no replica has room to probe is marked as not probed, and keeps its place', async () => {
  // Answers nothing before the test ends, so that the one probe that there is room for stays under way.
  const server = createServer(() => undefined);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const swarm = await replicas.swarm({ clock: { ...systemClock, schedule: () => () => undefined } });
  const db = swarm.replica.database.kysely.$extendTables<Schema>();
  for (const name of ['first', 'second']) await swarm.register(name, { healthUrl: `http://127.0.0.1:${port}/` });
  const dueAt = (name: string, minutes: number) =>
    sql`update agents set probe_at = now() - ${minutes} * interval '1 minute'
      where name = ${name} and namespace = ${swarm.namespace}`.execute(db);
  await dueAt('first', 20);
  await dueAt('second', 10);
  const shown: string[] = [];
  const rounds = new ProbeRounds({
    db,
    prober: new Prober({ timeoutMs: 60_000, maxWaitMs: 60_000, allow: defaultRules('embedded'), clock: systemClock }),
    settings: { leaseMs: 60_000, expireAfterMs: 3_600_000, threshold: 3, openMs: 30_000 },
    intervalMs: 400,
    clock: systemClock,
    onAlive: () => undefined,
    submit: async (_namespace, command) => {
      shown.push(JSON.stringify(command));
      return {} as CommandResult;
    },
    onError: (error) => shown.push(String(error)),
    maxUnderWay: 1,
  });
  const livenessOf = async (name: string) => {
    const { rows } = await sql<{ liveness: { unprobed?: true; probeDetail?: string } | null; minutes: number }>`
      select liveness, extract(epoch from now() - probe_at) / 60 as minutes from agents
      where name = ${name} and namespace = ${swarm.namespace}`.execute(db);
    return rows[0];
  };
  await until(async () => expect((await livenessOf('second'))?.liveness).toMatchObject({ unprobed: true }), 10_000);
  const second = await livenessOf('second');
  expect(second?.liveness?.probeDetail).toBe('the core has too many other agents to probe');
  expect(Number(second?.minutes)).toBeGreaterThanOrEqual(10);
  expect((await livenessOf('first'))?.liveness).toBeNull();
  await rounds.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
