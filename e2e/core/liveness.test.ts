// Liveness through whole cores: circuits on two of them, probes that outlive the core that made them, pauses that are the
// core's own fault, and circuits in an operator's hand.
import { createSwarmClient } from '@hypercode/client';
import type { Agent, CircuitEventData } from '@hypercode/contracts';
import {
  accepted,
  call,
  type Core,
  HealthEndpoint,
  refusalCode,
  registration,
  send,
} from '@hypercode/core-runtime/testing';
import { type PostgresServer, type SpawnedCore, startPostgres, startRedis, waitFor } from '@hypercode/testkit';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';

const LEASE_MS = 3000;
const PROBE_INTERVAL_MS = 1000;
const BEAT_MS = 400;
/** When a lease that is not renewed is missed: after itself and two flushes. */
const MISSED_MS = (LEASE_MS * 4) / 3;
/** Longer than that, by so much that every agent would be judged without the grace. */
const LONG_PAUSE_MS = MISSED_MS + 2000;
const TIMES = {
  SWARM_LEASE_MS: String(LEASE_MS),
  SWARM_CIRCUIT_OPEN_MS: '2000',
  SWARM_PROBE_INTERVAL_MS: String(PROBE_INTERVAL_MS),
  SWARM_PROBE_TIMEOUT_MS: '700',
  SWARM_PROBE_ALLOW: '127.0.0.0/8',
  SWARM_RATE_REGISTER: '0',
};
const PATIENCE = { timeoutMs: 60_000 };

const stack: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

interface Swarm {
  cores: [SpawnedCore, ...SpawnedCore[]];
  postgres: PostgresServer;
}

async function startSwarm(count: number, env: Record<string, string> = {}): Promise<Swarm> {
  const [postgres, redis] = await Promise.all([startPostgres({ own: true }), startRedis({ own: true })]);
  stack.push(() => postgres.close());
  stack.push(() => redis.close());
  const settings = {
    ...TIMES,
    ...env,
    DATABASE_URL: await postgres.createDatabase(),
    REDIS_URL: redis.url,
    SWARM_ADMIN_TOKEN: 'the-same-admin-token-on-all',
  };
  const startOne = async () => {
    const core = await spawnCore({ env: settings });
    stack.push(() => core.close());
    return core;
  };
  const [first, ...others] = await Promise.all([startOne(), ...Array.from({ length: count - 1 }, startOne)]);
  return { cores: [first, ...others], postgres };
}

async function openEndpoint(): Promise<HealthEndpoint> {
  const endpoint = await HealthEndpoint.open();
  stack.push(() => endpoint.close());
  return endpoint;
}

interface Member {
  name: string;
  token: string;
}

async function join(core: Core, name: string, healthUrl?: string): Promise<Member> {
  const input = registration(name, healthUrl === undefined ? {} : { healthUrl });
  const { token } = accepted(await call(core, 'registry.register', input));
  if (token === undefined) throw new Error('the core gave no token');
  return { name, token };
}

/** Beats by the plain route, whatever the answers are. Returns what ends it. */
function beating(core: Core, { name, token }: Member): () => void {
  const beat = () => void send(core, { method: 'POST', path: `/v1/agents/${name}/heartbeat`, token, body: '{}' });
  beat();
  const timer = setInterval(beat, BEAT_MS);
  const stop = () => clearInterval(timer);
  stack.push(stop);
  return stop;
}

const publish = (core: Core, { name, token }: Member) =>
  call(core, 'bus.publish', { topic: `task.${name}.done`, data: null }, { token });

const untilPublishing = async (core: Core, member: Member, code: string | null) =>
  waitFor(
    async () => {
      const outcome = await publish(core, member);
      return refusalCode(outcome) === code ? { outcome } : null;
    },
    { what: `publishing to end in ${code ?? 'an acknowledgement'}`, ...PATIENCE },
  );

const statusOf = async (core: Core, name: string): Promise<Agent['status']> =>
  accepted(await call(core, 'registry.get', { name })).status;

const untilStatus = (core: Core, name: string, status: Partial<Agent['status']>) =>
  waitFor(
    async () => {
      expect(await statusOf(core, name)).toMatchObject(status);
      return true;
    },
    { what: `"${name}" to be ${JSON.stringify(status)}`, ...PATIENCE },
  );

interface ReceivedChange {
  topic: string;
  data: unknown;
}

/** What the core says on the bus, from now on. */
async function hearSystem({ url, adminToken }: SpawnedCore): Promise<ReceivedChange[]> {
  const client = createSwarmClient({ url, token: adminToken });
  stack.push(() => client.close());
  const received: ReceivedChange[] = [];
  const listener = client.on(['system.>'], ({ topic, data }) => received.push({ topic, data }), { from: 'earliest' });
  stack.push(() => listener.stop());
  return received;
}

/** States of agents, change by change, as a watch shows them from the agents' registration on. */
function watchStatuses({ url, adminToken }: SpawnedCore): Agent[] {
  const client = createSwarmClient({ url, token: adminToken });
  const shown: Agent[] = [];
  const watch = client.watch({ since: 0 });
  const follow = async () => {
    for await (const event of watch) if (event.type === 'change' && event.change === 'status') shown.push(event.agent);
  };
  const following = follow();
  stack.push(async () => {
    await client.close();
    await following;
  });
  return shown;
}

/** The values without those that are as the one before. */
const steps = <T>(values: readonly T[]): T[] => values.filter((value, place) => value !== values[place - 1]);

const circuitsOf = (shown: readonly Agent[], name: string) =>
  steps(shown.filter((agent) => agent.name === name).map(({ status }) => status.circuit));

test('a healthUrl that fails four times opens the circuit on every core, until it answers again', async () => {
  const { cores } = await startSwarm(2);
  const [a, b] = cores;
  if (b === undefined) throw new Error('there is one core');
  const there = await openEndpoint();
  const received = await hearSystem(b);
  const shown = watchStatuses(b);
  const ada = await join(a, 'ada', there.urlOf('ada'));
  beating(a, ada);
  await untilStatus(a, 'ada', { health: 'healthy', circuit: 'closed' });
  for (const core of cores) await untilPublishing(core, ada, null);

  there.status = 500;
  const refusals = await Promise.all(cores.map((core) => untilPublishing(core, ada, 'CIRCUIT_OPEN')));
  there.status = 200;
  for (const { outcome } of refusals) {
    expect(outcome).toMatchObject({
      message: expect.stringContaining('the probe of its healthUrl failed'),
      details: { reason: expect.stringContaining('the probe of its healthUrl failed') },
    });
  }
  for (const core of cores) await untilPublishing(core, ada, null);
  await untilStatus(a, 'ada', { health: 'healthy', circuit: 'closed', consecutiveFailures: 0 });

  await waitFor(() => received.at(-1)?.topic === 'system.circuit.closed', { what: 'the last event', ...PATIENCE });
  expect(received.map(({ topic }) => topic)).toEqual([
    'system.circuit.opened',
    'system.circuit.half-opened',
    'system.circuit.closed',
  ]);
  const changes = received.map(({ data }) => data as CircuitEventData);
  expect(changes[0]).toMatchObject({ agent: 'ada', role: 'worker', circuit: 'open' });
  expect(changes[0]?.reason).toBe('the probe of its healthUrl failed');
  await waitFor(() => (shown.at(-1)?.revision ?? 0) >= (changes[2]?.revision ?? Infinity), {
    what: 'the watch to show what was published',
    ...PATIENCE,
  });
  expect(circuitsOf(shown, 'ada')).toEqual(['closed', 'open', 'half_open', 'closed']);
  // The events and the watch speak of the same changes.
  expect(changes.map(({ circuit, revision }) => ({ circuit, revision }))).toEqual(
    changes.map(({ revision }) => ({
      circuit: shown.find((one) => one.revision === revision)?.status.circuit,
      revision,
    })),
  );
  const opened = shown.find(({ status }) => status.circuit === 'open');
  expect(opened?.status.consecutiveFailures).toBeGreaterThanOrEqual(4);
  const before = shown.filter(({ revision }) => revision < (opened?.revision ?? 0)).at(-1);
  expect(before?.status).toMatchObject({ health: 'unhealthy', circuit: 'closed' });
}, 180_000);

test('what a core probed that is dead, another one probes within two rounds', async () => {
  const { cores } = await startSwarm(2);
  const there = await openEndpoint();
  const names = Array.from({ length: 12 }, (_, i) => `ada-${i}`);
  for (const name of names) await join(cores[0], name, there.urlOf(name));
  for (const name of names) await untilStatus(cores[0], name, { health: 'healthy' });

  // One of the two deaths is that of the core that did most of the work.
  for (const dead of cores) {
    const alive = cores.find((core) => core !== dead) ?? cores[0];
    dead.kill('SIGKILL');
    await dead.exited;
    const diedAt = performance.now();
    const hasGoneOn = (name: string) => there.probesOf(name).filter((at) => at > diedAt).length >= 3;
    await waitFor(() => names.every(hasGoneOn), { what: 'all to be probed by the other core', ...PATIENCE });
    for (const name of names) {
      const probes = there.probesOf(name);
      const first = probes.findIndex((at) => at > diedAt);
      const gapMs = (probes[first] ?? Infinity) - (probes[first - 1] ?? 0);
      expect(gapMs, `silence around ${name}`).toBeLessThan(2 * PROBE_INTERVAL_MS + 1000);
      expect(await statusOf(alive, name)).toMatchObject({ health: 'healthy', circuit: 'closed' });
    }
    await dead.restart();
  }
}, 180_000);

describe('nobody who beats is taken for dead', () => {
  const EXPIRE_MS = MISSED_MS + 500 - LEASE_MS;

  /** Six agents that beat, half of them with a healthUrl. */
  async function startBeating(core: SpawnedCore, there: HealthEndpoint): Promise<string[]> {
    const names = Array.from({ length: 6 }, (_, i) => `ada-${i}`);
    for (const [place, name] of names.entries()) {
      beating(core, await join(core, name, place % 2 === 0 ? there.urlOf(name) : undefined));
    }
    for (const name of names) await untilStatus(core, name, { health: 'healthy' });
    return names;
  }

  /** Waits until every agent has been judged for long enough, and looks at all that was ever shown. */
  async function expectAllWell(core: SpawnedCore, names: readonly string[]): Promise<void> {
    const judgedMs = Date.now() + MISSED_MS + LEASE_MS;
    for (const name of names) {
      await waitFor(async () => Date.parse((await statusOf(core, name)).lastSeenAt ?? '') > judgedMs, {
        what: `"${name}" to be seen again, for longer than a lease`,
        ...PATIENCE,
      });
      const { changes } = accepted(await call(core, 'registry.history', { name, limit: 500 }));
      const said = changes.map(({ change, agent: { status } }) => `${change} ${status.health} ${status.reason ?? ''}`);
      expect(said.filter((one) => /unhealthy|expired/.test(one))).toEqual([]);
      expect(await statusOf(core, name)).toMatchObject({ health: 'healthy', circuit: 'closed' });
    }
  }

  test('by a core that was stopped for longer than a lease', async () => {
    const { cores } = await startSwarm(1, { SWARM_EXPIRE_AFTER_MS: String(EXPIRE_MS) });
    const [core] = cores;
    const there = await openEndpoint();
    const names = await startBeating(core, there);
    // The core is stopped while it waits for answers: that it had none in its time says nothing about the agents.
    there.holding = true;
    await waitFor(() => there.held > 0, { what: 'a probe', ...PATIENCE });
    core.kill('SIGSTOP');
    await delay(LONG_PAUSE_MS);
    core.kill('SIGCONT');
    there.release();
    await expectAllWell(core, names);
  }, 180_000);

  test('by a core whose PostgreSQL was away for longer than a lease', async () => {
    const { cores, postgres } = await startSwarm(1, { SWARM_EXPIRE_AFTER_MS: String(EXPIRE_MS) });
    const [core] = cores;
    const names = await startBeating(core, await openEndpoint());
    await postgres.stop();
    await delay(LONG_PAUSE_MS);
    await postgres.start();
    await waitFor(async () => refusalCode(await call(core, 'registry.get', { name: 'ada-0' })) === null, {
      what: 'PostgreSQL to be used again',
      ...PATIENCE,
    });
    await expectAllWell(core, names);
  }, 180_000);
});

test('an operator trips and resets a circuit on every core', async () => {
  const { cores } = await startSwarm(2);
  const [a, b] = cores;
  if (b === undefined) throw new Error('there is one core');
  const received = await hearSystem(a);
  const ada = await join(a, 'ada');
  beating(b, ada);
  await untilStatus(a, 'ada', { health: 'healthy' });
  await untilPublishing(b, ada, null);

  const tripped = accepted(await call(a, 'circuit.trip', { name: 'ada', reason: 'a runaway' }));
  expect(tripped.status).toMatchObject({ circuit: 'open', reason: 'a runaway' });
  expect(refusalCode(await publish(a, ada))).toBe('CIRCUIT_OPEN');
  const { outcome } = await untilPublishing(b, ada, 'CIRCUIT_OPEN');
  expect(outcome).toMatchObject({ message: expect.stringContaining('a runaway') });
  // It beats all the while, and no open time ends what an operator has begun.
  const { lastSeenAt } = await statusOf(a, 'ada');
  await waitFor(
    async () => Date.parse((await statusOf(a, 'ada')).lastSeenAt ?? '') > Date.parse(lastSeenAt ?? '') + 2 * LEASE_MS,
    { what: 'two leases of beats', ...PATIENCE },
  );
  expect(refusalCode(await publish(b, ada))).toBe('CIRCUIT_OPEN');
  expect(refusalCode(await call(a, 'circuit.reset', { name: 'ada' }, { token: ada.token }))).toBe('FORBIDDEN');

  const reset = accepted(await call(a, 'circuit.reset', { name: 'ada' }));
  expect(reset.status).toMatchObject({ circuit: 'closed', consecutiveFailures: 0 });
  expect(refusalCode(await publish(a, ada))).toBeNull();
  await untilPublishing(b, ada, null);
  await waitFor(() => received.length >= 2, { what: 'both events', ...PATIENCE });
  expect(received.map(({ topic }) => topic)).toEqual(['system.circuit.opened', 'system.circuit.closed']);
}, 180_000);
