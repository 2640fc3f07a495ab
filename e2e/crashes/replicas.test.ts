// Two cores on the same stores, while one after the other fails: no watcher misses a change, and no acknowledged write
// is lost.
import type { AgentFilter } from '@hypercode/contracts';
import {
  accepted,
  allAgents,
  call,
  type ChangeEvent,
  digestOf,
  faultOf,
  holeIn,
  readChangeLog,
  registration,
  send,
  stateAfter,
  TRANSPORTS,
  Watcher,
} from '@hypercode/core-runtime/testing';
import {
  type PostgresServer,
  type RedisServer,
  type SpawnedCore,
  startPostgres,
  startRedis,
  waitFor,
} from '@hypercode/testkit';
import { afterEach, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';
import { type Refused, Writer } from './writer.ts';

const FILTERS: readonly AgentFilter[] = [{}, { role: 'scout' }, { capability: 'dig' }, { labels: { tier: 'gold' } }];
const NAMES = Array.from({ length: 24 }, (_, i) => `agent-${i}`);
/** How many writes must be accepted on a core before it counts as working. */
const ENOUGH = 30;
const PATIENCE = { timeoutMs: 90_000 };

const stack: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

interface Swarm {
  a: SpawnedCore;
  b: SpawnedCore;
  postgres: PostgresServer;
  redis: RedisServer | null;
  watchers: { watcher: Watcher; filter: AgentFilter; core: SpawnedCore }[];
  writers: { writer: Writer; core: SpawnedCore }[];
  /** Names what goes on from now on. */
  enter(phase: string): void;
}

async function startSwarm({ withRedis, watchersEach }: { withRedis: boolean; watchersEach: number }): Promise<Swarm> {
  const [postgres, redis] = await Promise.all([
    startPostgres({ own: true, durable: true }),
    withRedis ? startRedis({ own: true }) : null,
  ]);
  stack.push(() => postgres.close());
  if (redis !== null) stack.push(() => redis.close());

  const env = {
    DATABASE_URL: await postgres.createDatabase(),
    REDIS_URL: redis?.url ?? '',
    SWARM_ADMIN_TOKEN: 'the-same-admin-token-on-both',
    SWARM_RATE_REGISTER: '0',
  };
  const startOne = async () => {
    const core = await spawnCore({ env });
    stack.push(() => core.close());
    return core;
  };
  const [a, b] = await Promise.all([startOne(), startOne()]);

  let phase = 'all is well';
  const watchers = [a, b].flatMap((core) =>
    Array.from({ length: watchersEach }, (_, i) => {
      const filter = FILTERS[i % FILTERS.length] ?? {};
      const watcher = new Watcher({ core, transport: TRANSPORTS[i % TRANSPORTS.length] ?? 'trpc-sse', filter });
      stack.push(() => watcher.close());
      return { watcher, filter, core };
    }),
  );
  await waitFor(() => watchers.every(({ watcher }) => watcher.synced > 0), {
    what: 'all watchers in step',
    ...PATIENCE,
  });

  const writers = [a, b, a, b].map((core, number) => {
    const writer = new Writer({ core, number, names: NAMES, phase: () => phase });
    stack.push(() => writer.stop());
    return { writer, core };
  });
  return { a, b, postgres, redis, watchers, writers, enter: (next) => (phase = next) };
}

const acknowledgedOn = ({ writers }: Swarm, core: SpawnedCore): number =>
  writers.filter((each) => each.core === core).reduce((sum, { writer }) => sum + writer.acknowledged.length, 0);

async function untilItWorks(swarm: Swarm, ...cores: SpawnedCore[]): Promise<void> {
  for (const core of cores) {
    const before = acknowledgedOn(swarm, core);
    const what = `writes to be accepted by ${core === swarm.a ? 'A' : 'B'}`;
    await waitFor(() => acknowledgedOn(swarm, core) >= before + ENOUGH, { what, ...PATIENCE });
  }
}

/** Every plain watcher that is not cut off has what was accepted before this call. */
async function untilHeard(swarm: Swarm): Promise<void> {
  const revision = Math.max(...swarm.writers.map(({ writer }) => writer.acknowledged.at(-1)?.agent.revision ?? 0));
  const plain = swarm.watchers.filter(({ filter }) => filter === FILTERS[0]);
  const what = `plain watchers to receive revision ${revision}`;
  await waitFor(() => plain.every(({ watcher }) => watcher.position >= revision), { what, ...PATIENCE });
}

async function killAndRestartA(swarm: Swarm): Promise<void> {
  swarm.enter('A is dead');
  swarm.a.kill('SIGKILL');
  await swarm.a.exited;
  await untilItWorks(swarm, swarm.b);
  await swarm.a.restart();
  swarm.enter('A is back');
  await untilItWorks(swarm, swarm.a, swarm.b);
  await untilHeard(swarm);
}

async function stopAndStartRedis(swarm: Swarm, redis: RedisServer): Promise<void> {
  swarm.enter('Redis is away');
  await redis.stop();
  await untilReadyIs(swarm, 503, 'redis');
  await untilItWorks(swarm, swarm.a, swarm.b);
  await untilHeard(swarm);
  await redis.start();
  await untilReadyIs(swarm, 200, null);
  swarm.enter('Redis is back');
  await untilItWorks(swarm, swarm.a, swarm.b);
}

async function restartPostgres(swarm: Swarm): Promise<void> {
  swarm.enter('PostgreSQL is away');
  await swarm.postgres.stop();
  const wasRefused = ({ writer }: { writer: Writer }) => writer.refused.some(({ code }) => code === 'UNAVAILABLE');
  await waitFor(() => swarm.writers.every(wasRefused), { what: 'all writers to be refused', ...PATIENCE });
  await untilReadyIs(swarm, 503, 'database');
  await swarm.postgres.start();
  await untilReadyIs(swarm, 200, null);
  await untilItWorks(swarm, swarm.a, swarm.b);
  swarm.enter('PostgreSQL is back');
  await untilHeard(swarm);
}

async function untilReadyIs({ a, b }: Swarm, status: number, reason: string | null): Promise<void> {
  for (const core of [a, b]) {
    await waitFor(
      async () => {
        const answer = await send(core, { method: 'GET', path: '/readyz' });
        return answer.ok && answer.status === status && (reason === null || answer.body.includes(reason));
      },
      { what: `/readyz ${status} ${reason ?? ''}`, ...PATIENCE },
    );
  }
}

/** Ends the writing with a change that every watcher receives, and waits until all have received it. */
async function finish(swarm: Swarm): Promise<ChangeEvent[]> {
  await Promise.all(swarm.writers.map(({ writer }) => writer.stop()));
  const last = registration('last', { role: 'scout', capabilities: ['dig'], labels: { tier: 'gold' } });
  const { agent } = accepted(await call(swarm.b, 'registry.register', last));
  await waitFor(() => swarm.watchers.every(({ watcher }) => watcher.position >= agent.revision), {
    what: `all watchers to receive revision ${agent.revision}`,
    ...PATIENCE,
  });
  const log = await readChangeLog(swarm.a);
  expect(log.at(-1)?.revision).toBe(agent.revision);
  return log;
}

async function expectOneTruth(swarm: Swarm, log: ChangeEvent[]): Promise<void> {
  expect(holeIn(log, 0)).toBeNull();
  const other = await readChangeLog(swarm.b, { transport: 'rest-sse' });
  expect(other.map(digestOf)).toEqual(log.map(digestOf));
  for (const core of [swarm.a, swarm.b]) {
    const agents = await allAgents(core, 'default');
    const revisions = Object.fromEntries(agents.map(({ name, revision }) => [name, revision]));
    expect(agents).toHaveLength(Object.keys(revisions).length);
    expect(revisions).toEqual(Object.fromEntries([...stateAfter(log)].map(([name, { revision }]) => [name, revision])));
  }
  for (const name of NAMES.slice(0, 3)) {
    const { changes } = accepted(await call(swarm.b, 'registry.history', { name, limit: 500 }));
    const expected = log.filter(({ agent }) => agent.name === name).toReversed();
    expect(changes).toEqual(expected.slice(0, 500).map(({ type: _, ...change }) => change));
  }
}

function expectEveryAcknowledgedWrite(swarm: Swarm, log: ChangeEvent[]): void {
  const lost = swarm.writers
    .flatMap(({ writer }) => writer.acknowledged)
    .filter(({ kind, agent }) => {
      const change = log[agent.revision - 1];
      if (change === undefined || change.agent.name !== agent.name) return true;
      if (kind === 'unchanged') return change.agent.version !== agent.version;
      if (change.change !== (kind === 'created' ? 'registered' : kind)) return true;
      return change.agent.version !== agent.version || change.agent.id !== agent.id;
    });
  expect(lost).toEqual([]);
}

/** UNAVAILABLE, or no answer at all from the core that was dead. */
function expectHonestRefusals(swarm: Swarm): void {
  const isExcused = (core: SpawnedCore, { code, during }: Refused) =>
    code === 'UNAVAILABLE'
      ? during.some((phase) => phase === 'PostgreSQL is away')
      : code === 'BROKEN' && core === swarm.a && during.includes('A is dead');
  const others = swarm.writers.flatMap(({ writer, core }) => writer.refused.filter((each) => !isExcused(core, each)));
  expect(others).toEqual([]);
}

function expectWholeWatches(swarm: Swarm, log: ChangeEvent[]): void {
  const faults = swarm.watchers.map(({ watcher, filter }) => faultOf(watcher, filter, log));
  expect(faults.filter((fault) => fault !== null)).toEqual([]);
  for (const { watcher, core } of swarm.watchers) {
    expect(watcher.refusals.filter((code) => code !== 'UNAVAILABLE')).toEqual([]);
    expect(watcher.returned).toBe(0);
    if (core === swarm.a) expect(watcher.ends).toBeGreaterThan(0);
  }
}

test('40 watchers on two cores receive the same changes while a core, Redis and PostgreSQL fail', async () => {
  const swarm = await startSwarm({ withRedis: true, watchersEach: 20 });
  await untilItWorks(swarm, swarm.a, swarm.b);
  await killAndRestartA(swarm);
  if (swarm.redis !== null) await stopAndStartRedis(swarm, swarm.redis);
  await restartPostgres(swarm);
  const log = await finish(swarm);
  await expectOneTruth(swarm, log);
  expectWholeWatches(swarm, log);
  expectEveryAcknowledgedWrite(swarm, log);
  expectHonestRefusals(swarm);
}, 300_000);

test('and on PostgreSQL alone', async () => {
  const swarm = await startSwarm({ withRedis: false, watchersEach: 6 });
  await untilItWorks(swarm, swarm.a, swarm.b);
  await killAndRestartA(swarm);
  await restartPostgres(swarm);
  const log = await finish(swarm);
  await expectOneTruth(swarm, log);
  expectWholeWatches(swarm, log);
  expectEveryAcknowledgedWrite(swarm, log);
  expectHonestRefusals(swarm);
}, 300_000);
