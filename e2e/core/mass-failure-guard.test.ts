// The mass-failure guard on a whole core, with fleets of 200 agents that send heartbeats: when it suspends liveness, and when it
// must not. A guard belongs to a namespace, so that all cases run on one core at once.
import { createSwarmClient } from '@hypercode/client';
import { type Agent, type CircuitEventData, LivenessSuspendedData } from '@hypercode/contracts';
import { allAgents, callBatch, registration, send } from '@hypercode/core-runtime/testing';
import {
  type PostgresServer,
  type RedisServer,
  type SpawnedCore,
  startPostgres,
  startRedis,
  waitFor,
} from '@hypercode/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';
import { Fleet } from './fleet.ts';

const LEASE_MS = 3000;
const HEARTBEAT_MS = 1000;
const FLEET = 200;
const PATIENCE = { timeoutMs: 60_000, intervalMs: 100 };

let postgres: PostgresServer;
let redis: RedisServer;
let core: SpawnedCore;
const stack: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres({ own: true }), startRedis({ own: true })]);
  core = await spawnCore({
    env: {
      DATABASE_URL: await postgres.createDatabase(),
      REDIS_URL: redis.url,
      SWARM_LEASE_MS: String(LEASE_MS),
      SWARM_PROBE_INTERVAL_MS: '1000',
      SWARM_PROBE_TIMEOUT_MS: '700',
      SWARM_RATE_REGISTER: '0',
    },
  });
});
afterAll(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
  await core.close();
  await Promise.all([postgres.close(), redis.close()]);
});

interface Watched {
  fleet: Fleet;
  /** What the core has published in the namespace, in order. */
  published: { topic: string; data: unknown }[];
  agents: () => Promise<Agent[]>;
  /** Names whose circuits have been opened. */
  opened: () => string[];
  untilPublished: (topic: string) => Promise<unknown>;
}

/** A fleet that has lived for long enough to count for the guard. */
async function startFleet(namespace: string): Promise<Watched> {
  const client = createSwarmClient({ url: core.url, token: core.adminToken, namespace });
  stack.push(() => client.close());
  const published: Watched['published'] = [];
  const listener = client.on(['system.>'], ({ topic, data }) => void published.push({ topic, data }), {
    from: 'earliest',
  });
  stack.push(() => listener.stop());
  const fleet = await Fleet.start(core, { namespace, count: FLEET, beatMs: HEARTBEAT_MS });
  stack.push(() => fleet.stop());
  const agents = () => allAgents(core, namespace);
  const startedAt = Date.now();
  await waitFor(
    async () =>
      (await agents()).every(
        ({ status }) => status.health === 'healthy' && Date.parse(status.lastSeenAt ?? '') > startedAt + 11 * LEASE_MS,
      ),
    { what: `all of ${namespace} to be healthy`, ...PATIENCE },
  );
  const opened = () =>
    published.flatMap(({ topic, data }) =>
      topic === 'system.circuit.opened' ? [(data as CircuitEventData).agent] : [],
    );
  const untilPublished = (topic: string) =>
    waitFor(() => published.some((event) => event.topic === topic), { what: `${topic} in ${namespace}`, ...PATIENCE });
  return { fleet, published, agents, opened, untilPublished };
}

async function warnings(): Promise<string> {
  const answer = await send(core, { method: 'GET', path: '/readyz' });
  if (!answer.ok || answer.status !== 200) throw new Error(`the core is not ready: ${JSON.stringify(answer)}`);
  return (JSON.parse(answer.body) as { warnings: string[] }).warnings.join('\n');
}

describe.concurrent('of 200 agents', () => {
  test.each([
    ['half', 100],
    ['most', 150],
  ])(
    '%s vanish at once: no agent is tripped while the guard holds, and all that stay away are tripped after it',
    async (part, count) => {
      const namespace = `fleet-${part}`;
      const { fleet, published, agents, opened, untilPublished } = await startFleet(namespace);
      const gone = fleet.vanish(count);
      await untilPublished('system.liveness.suspended');
      await waitFor(async () => (await warnings()).includes(namespace), { what: 'a warning in /readyz', ...PATIENCE });
      const suspended = LivenessSuspendedData.parse(published[0]?.data);
      expect(suspended.failing).toBeGreaterThanOrEqual(5);
      expect(suspended.failing * 2).toBeGreaterThanOrEqual(suspended.healthyBefore);
      await untilPublished('system.liveness.resumed');
      expect(published.map(({ topic }) => topic)).toEqual(['system.liveness.suspended', 'system.liveness.resumed']);
      await waitFor(async () => !(await warnings()).includes(namespace), { what: 'the warning to end', ...PATIENCE });

      await waitFor(() => opened().length >= count, { what: 'all that stay away to be tripped', ...PATIENCE });
      expect(new Set(opened())).toEqual(new Set(gone));
      const others = (await agents()).filter(({ name }) => !gone.includes(name));
      expect(others).toHaveLength(FLEET - count);
      for (const { status } of others) expect(status).toMatchObject({ health: 'healthy', circuit: 'closed' });
      expect(published.filter(({ topic }) => topic.startsWith('system.liveness.'))).toHaveLength(2);
    },
  );

  test('one vanishes, and five never answered: each is tripped in time, and the guard does not engage', async () => {
    const namespace = 'fleet-one';
    const { fleet, published, agents, opened } = await startFleet(namespace);
    const fakes = Array.from({ length: 5 }, (_, i) => `fake-${i}`);
    const inputs = fakes.map((name) => registration(name, { namespace }));
    await callBatch(core, 'registry.register', inputs);
    const gone = fleet.vanish(1);
    const expected = new Set([...gone, ...fakes]);
    await waitFor(() => opened().length >= expected.size, { what: 'the six to be tripped', ...PATIENCE });
    expect(new Set(opened())).toEqual(expected);
    expect(published.filter(({ topic }) => topic.startsWith('system.liveness.'))).toEqual([]);
    for (const { name, status, updatedAt } of await agents()) {
      if (!expected.has(name)) {
        expect(status).toMatchObject({ health: 'healthy', circuit: 'closed' });
        continue;
      }
      expect(status).toMatchObject({ health: 'unhealthy', circuit: 'open' });
      // Four leases and two flushes, and the next check, with time to spare for a busy machine.
      expect(Date.parse(updatedAt) - Date.parse(status.lastSeenAt ?? '')).toBeLessThan(6 * LEASE_MS);
    }
  });
});
