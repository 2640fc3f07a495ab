// What the core says of circuits is said, whatever dies between the change and the event, and once.
import { createSwarmClient } from '@hypercode/client';
import type { CircuitEventData } from '@hypercode/contracts';
import { accepted, call, registration } from '@hypercode/core-runtime/testing';
import { startPostgres, startRedis, waitFor } from '@hypercode/testkit';
import { afterEach, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';

const stack: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

async function startStores() {
  const [postgres, redis] = await Promise.all([startPostgres({ own: true }), startRedis({ own: true })]);
  stack.push(() => postgres.close());
  stack.push(() => redis.close());
  const env = {
    DATABASE_URL: await postgres.createDatabase(),
    REDIS_URL: redis.url,
    SWARM_ADMIN_TOKEN: 'the-same-admin-token-on-all',
  };
  const startCore = async () => {
    const core = await spawnCore({ env });
    stack.push(() => core.close());
    return core;
  };
  return { redis, startCore };
}

/** What was ever said of circuits, as topics with the revisions that they are about. */
function hearCircuits({ url, adminToken }: { url: string; adminToken: string }): string[] {
  const client = createSwarmClient({ url, token: adminToken });
  stack.push(() => client.close());
  const received: string[] = [];
  const receive = ({ topic, data }: { topic: string; data: unknown }) => {
    const { agent, revision } = data as CircuitEventData;
    received.push(`${topic} ${agent} ${revision}`);
  };
  const listener = client.on(['system.circuit.>'], receive, { from: 'earliest' });
  stack.push(() => listener.stop());
  return received;
}

test('by the next core, when the one that changed a circuit was killed before it could', async () => {
  const { redis, startCore } = await startStores();
  const core = await startCore();
  accepted(await call(core, 'registry.register', registration('ada')));
  accepted(await call(core, 'registry.register', registration('eve')));
  // Nobody receives of anything now, but circuits change.
  await redis.stop();
  const ada = accepted(await call(core, 'circuit.trip', { name: 'ada', reason: 'a runaway' }));
  const eve = accepted(await call(core, 'circuit.trip', { name: 'eve' }));
  core.kill('SIGKILL');
  await core.exited;
  await redis.start();
  const successor = await startCore();

  const received = hearCircuits(successor);
  const missed = [`system.circuit.opened ada ${ada.revision}`, `system.circuit.opened eve ${eve.revision}`];
  await waitFor(() => received.length >= missed.length, { what: 'what the dead core left', timeoutMs: 30_000 });
  const reset = accepted(await call(successor, 'circuit.reset', { name: 'ada' }));
  const all = [...missed, `system.circuit.closed ada ${reset.revision}`];
  await waitFor(() => received.length >= all.length, { what: 'the changes of circuits', timeoutMs: 30_000 });
  expect(received).toEqual(all);
});

test('once, when cores are killed amid one change after the other', async () => {
  const { startCore } = await startStores();
  const [core, witness] = await Promise.all([startCore(), startCore()]);
  const names = Array.from({ length: 20 }, (_, i) => `agent-${i}`);
  for (const name of names) accepted(await call(witness, 'registry.register', registration(name)));
  const received = hearCircuits(witness);
  for (let death = 0; death < 3; death += 1) {
    const trips = names.map((name) => call(core, death % 2 === 0 ? 'circuit.trip' : 'circuit.reset', { name }));
    // In the midst of them.
    await Promise.race(trips);
    core.kill('SIGKILL');
    await core.exited;
    await Promise.all(trips);
    await core.restart();
  }
  // What a dead core has remembered and not shown is shown by the judge, so changes may still come.
  const committed = async (): Promise<string[]> => {
    const histories = await Promise.all(names.map((name) => call(witness, 'registry.history', { name, limit: 500 })));
    return histories.flatMap((history) => {
      const agents = accepted(history).changes.map(({ agent }) => agent);
      return agents.flatMap(({ name, revision, status: { circuit } }, place) => {
        // Newest first, and the oldest is the registration.
        const isNews = circuit !== (agents[place + 1]?.status.circuit ?? 'closed');
        return isNews ? [`system.circuit.${circuit === 'open' ? 'opened' : circuit} ${name} ${revision}`] : [];
      });
    });
  };
  await waitFor(
    async () => {
      expect(received.length).toBeGreaterThan(0);
      expect(received.toSorted()).toEqual((await committed()).toSorted());
      return true;
    },
    { what: 'all that was committed to be said, and nothing twice', timeoutMs: 30_000 },
  );
});
