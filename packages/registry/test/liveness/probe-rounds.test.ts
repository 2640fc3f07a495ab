// Rounds of probes: agents that cannot be probed in time do not keep others from being probed, and are not judged for it.
import { systemClock } from '@hypercode/clock';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openDatabase } from '@hypercode/stores';
import { migratedFolder } from '@hypercode/stores/testing';
import { createLocalSignal } from '@hypercode/feed';
import { trackLeaks } from '@hypercode/testkit';
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
