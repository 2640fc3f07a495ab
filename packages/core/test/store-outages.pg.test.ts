// What a core reports of its stores: at the start, while they take no writes, and when they are back.
import { connectRedis } from '@hypercode/stores';
import {
  freshDatabase,
  type RedisServer,
  startPgbouncer,
  startRedis,
  startRedisCluster,
  waitFor,
} from '@hypercode/testkit';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { accepted, call, refusalCode, registration } from '../testing/call.ts';
import { startTestCore, type TestCore, type TestCoreOptions } from '../testing/core.ts';

let redis: RedisServer;
let cores: TestCore[] = [];
beforeAll(async () => {
  redis = await startRedis({ own: true });
});
afterAll(() => redis?.close());
afterEach(async () => {
  await Promise.all(cores.splice(0).map((core) => core.close()));
});

async function start(options: TestCoreOptions): Promise<TestCore> {
  const core = await startTestCore(options);
  cores.push(core);
  return core;
}

async function statement(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url, options: '-c default_transaction_read_only=off' });
  client.on('error', () => {});
  await client.connect();
  await client.query(text);
  await client.end();
}

/** As after a failover: the address leads to a server that takes no writes, or takes them again. */
async function setReadOnly(url: string, isReadOnly: boolean): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  const change = isReadOnly ? 'set default_transaction_read_only = on' : 'reset default_transaction_read_only';
  await statement(url, `alter database "${name}" ${change}`);
  await statement(
    url,
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
}

const readyz = async (core: TestCore) => {
  const answer = await core.fetch('/readyz', { token: null, namespace: null });
  return { status: answer.status, text: await answer.text() };
};
const untilReady = (core: TestCore, status: number) =>
  waitFor(async () => ((await readyz(core)).status === status ? true : null), {
    what: `/readyz to answer ${status}`,
    timeoutMs: 30_000,
  });
const linesOf = (core: TestCore, pattern: RegExp): string[] =>
  core.log().flatMap(({ msg }) => (typeof msg === 'string' && pattern.test(msg) ? [msg] : []));

describe('a start ends with one line', () => {
  const failureOf = async (options: TestCoreOptions): Promise<string> => {
    const outcome = await startTestCore(options).catch((error: unknown) => error);
    if (!(outcome instanceof Error)) {
      await (outcome as TestCore).close();
      throw new Error('the core has started');
    }
    expect(outcome.message).not.toContain('\n');
    return outcome.message;
  };

  test('for a wrong password and for an unknown database of PostgreSQL', async () => {
    const url = new URL(await freshDatabase());
    url.password = 'not-the-password';
    expect(await failureOf({ databaseUrl: url.href })).toMatch(/^DATABASE_URL: .*password authentication failed/);
    const unknown = new URL(await freshDatabase());
    unknown.pathname = '/unknown-database';
    expect(await failureOf({ databaseUrl: unknown.href })).toMatch(
      /^DATABASE_URL: .*"unknown-database" does not exist/,
    );
  });

  test('for a setting that PostgreSQL does not have, and for a schema that is not there', async () => {
    const url = await freshDatabase();
    expect(await failureOf({ databaseUrl: `${url}?options=-c%20nosuch%3D1` })).toMatch(/^DATABASE_URL: .*nosuch/);
    expect(await failureOf({ databaseUrl: `${url}?schema=nowhere` })).toMatch(/^DATABASE_URL: .*"nowhere"/);
  });

  test('for a pooler that shares sessions', async () => {
    const pgbouncer = await startPgbouncer(await freshDatabase(), { pooling: 'transaction' });
    onTestFinished(() => pgbouncer.close());
    expect(await failureOf({ databaseUrl: pgbouncer.url })).toMatch(/^DATABASE_URL: .*transaction pooling/);
  });

  test('for a wrong password of Redis, and for one node of a Cluster', { timeout: 120_000 }, async () => {
    const databaseUrl = await freshDatabase();
    const wrong = new URL(redis.url);
    wrong.password = 'not-the-password';
    expect(await failureOf({ databaseUrl, redisUrl: wrong.href })).toMatch(/^REDIS_URL: WRONGPASS/);
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.close());
    const [node = ''] = cluster.nodeUrls;
    expect(await failureOf({ databaseUrl, redisUrl: node })).toMatch(
      /^REDIS_URL: .*one node of a Redis Cluster.*commas/,
    );
  });
});

test('a core starts through a pooler that keeps sessions', async () => {
  const pgbouncer = await startPgbouncer(await freshDatabase(), { pooling: 'session', poolSize: 20 });
  const core = await start({ databaseUrl: pgbouncer.url });
  accepted(await call(core, 'registry.register', registration('pooled')));
  expect((await readyz(core)).status).toBe(200);
  await core.close();
  await pgbouncer.close();
});

test('PostgreSQL that takes no writes: UNAVAILABLE, not ready, one line, and one when it is back', async () => {
  const url = await freshDatabase();
  const core = await start({ databaseUrl: url });
  accepted(await call(core, 'registry.register', registration('before')));
  expect((await readyz(core)).status).toBe(200);

  await setReadOnly(url, true);
  await waitFor(async () => ((await readyz(core)).text.includes('read-only') ? true : null), {
    what: 'the reason in /readyz',
    timeoutMs: 30_000,
  });
  expect((await readyz(core)).status).toBe(503);
  await waitFor(
    async () => refusalCode(await call(core, 'registry.register', registration('during'))) === 'UNAVAILABLE',
    {
      what: 'the refusal',
    },
  );
  accepted(await call(core, 'registry.get', { name: 'before' }));

  await setReadOnly(url, false);
  await untilReady(core, 200);
  accepted(await call(core, 'registry.register', registration('after')));
  await waitFor(() => linesOf(core, /^PostgreSQL .* is available again/).length === 1, { what: 'the line' });
  const lines = linesOf(core, /^PostgreSQL .* is unavailable/);
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.length).toBeLessThanOrEqual(3);
});

test('Redis that takes no writes: not ready, one line that names it, and ready again by itself', async () => {
  const core = await start({ databaseUrl: await freshDatabase(), redisUrl: redis.url, redisPrefix: 'readonly' });
  await untilReady(core, 200);
  const admin = connectRedis(redis.url, { connectionName: 'swarm-test' });
  onTestFinished(() => admin.close());
  const setLimit = (bytes: string) => admin.ask((client) => client.config('SET', 'maxmemory', bytes));
  accepted(await call(core, 'bus.publish', { topic: 'work.done', data: 0 }));
  await setLimit('1');
  onTestFinished(async () => void (await setLimit('0')));
  expect(refusalCode(await call(core, 'bus.publish', { topic: 'work.done', data: 1 }))).toBe('UNAVAILABLE');
  expect((await readyz(core)).status).toBe(503);
  await waitFor(() => linesOf(core, /^Redis \(REDIS_URL\) is unavailable: OOM/).length === 1, { what: 'the line' });
  await setLimit('0');
  await untilReady(core, 200);
  await waitFor(() => linesOf(core, /^Redis \(REDIS_URL\) is available again/).length === 1, { what: 'the line' });
});

test('a password of Redis that changes while the core runs: the reason is logged without it, and the core recovers', async () => {
  const admin = connectRedis(redis.url, { connectionName: 'swarm-test' });
  onTestFinished(() => admin.close());
  const setPassword = (password: string) =>
    admin.ask(async (client) => {
      await client.call('ACL', 'SETUSER', 'rotated', 'reset', 'on', `>${password}`, '~*', '&*', '+@all');
      await client.call('CLIENT', 'KILL', 'USER', 'rotated');
    });
  await setPassword('first-secret');
  const address = new URL(redis.url);
  address.username = 'rotated';
  address.password = 'first-secret';
  const core = await start({ databaseUrl: await freshDatabase(), redisUrl: address.href, redisPrefix: 'rotated' });
  await untilReady(core, 200);
  await setPassword('second-secret');
  await waitFor(() => linesOf(core, /is unavailable: WRONGPASS/).length > 0, { what: 'the reason', timeoutMs: 30_000 });
  expect((await readyz(core)).status).toBe(503);
  expect(refusalCode(await call(core, 'bus.publish', { topic: 'work.done', data: 1 }))).toBe('UNAVAILABLE');
  await setPassword('first-secret');
  await untilReady(core, 200);
  accepted(await call(core, 'bus.publish', { topic: 'work.done', data: 1 }));
  expect(JSON.stringify(core.log())).not.toContain('secret');
});

test('a password of PostgreSQL that changes while the core runs: UNAVAILABLE, the reason, and back by itself', async () => {
  const url = await freshDatabase();
  const role = `rotated_${new URL(url).pathname.slice(-12)}`;
  const rotate = async (password: string) => {
    await statement(url, `alter role ${role} password '${password}'`);
    await statement(url, `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${role}'`);
  };
  await statement(url, `create role ${role} login password 'first-secret'; grant all on schema public to ${role}`);
  const address = new URL(url);
  address.username = role;
  address.password = 'first-secret';
  const core = await start({ databaseUrl: address.href });
  await untilReady(core, 200);
  await rotate('second-secret');
  await waitFor(() => linesOf(core, /^PostgreSQL .* unavailable: .*password authentication failed/).length > 0, {
    what: 'the reason',
    timeoutMs: 60_000,
  });
  expect((await readyz(core)).text).not.toContain(role);
  expect(refusalCode(await call(core, 'registry.register', registration('during')))).toBe('UNAVAILABLE');
  await rotate('first-secret');
  await untilReady(core, 200);
  accepted(await call(core, 'registry.register', registration('after')));
  expect(JSON.stringify(core.log())).not.toContain('secret');
});

test('two swarms on one Redis: with prefixes they do not meet, and without one it is said', async () => {
  const databaseUrls = [await freshDatabase(), await freshDatabase(), await freshDatabase()];
  const [first, second, third] = await Promise.all(
    databaseUrls.map(async (databaseUrl, index) =>
      start({ databaseUrl, redisUrl: redis.url, redisPrefix: index === 0 ? 'blue' : 'green' }),
    ),
  );
  if (first === undefined || second === undefined || third === undefined) throw new Error('not started');
  for (const core of [first, second, third]) await untilReady(core, 200);
  accepted(await call(first, 'bus.publish', { topic: 'deploy.production', data: 'from blue' }));
  expect(await (await second.fetch('/v1/topics')).json()).toMatchObject({ topics: [] });
  const said = [first, second, third].map((core) => linesOf(core, /another swarm.*SWARM_REDIS_PREFIX/).length);
  expect(said[0]).toBe(0);
  expect((said[1] ?? 0) + (said[2] ?? 0)).toBe(1);
});

test.each([7_200_000, -7_200_000])(
  'a core whose clock is %i ms off has the time of its database',
  async (clockAheadMs) => {
    // Whichever of the two judges leases, it does so by the same settings.
    const settings = {
      databaseUrl: await freshDatabase(),
      adminToken: 'the-same-admin-token',
      circuitThreshold: 0,
      leaseMs: 600,
    };
    const [right, wrong] = [await start({ ...settings }), await start({ ...settings, clockAheadMs })];
    const made = accepted(await call(right, 'tokens.create', { kind: 'viewer', name: 'hour', expiresInMs: 3_600_000 }));
    accepted(await call(wrong, 'registry.query', {}, { token: made.token }));
    const short = accepted(await call(right, 'tokens.create', { kind: 'viewer', name: 'short', expiresInMs: 50 }));
    await waitFor(
      async () => refusalCode(await call(wrong, 'registry.query', {}, { token: short.token })) === 'UNAUTHENTICATED',
      {
        what: 'the token to expire',
      },
    );

    const { token = '' } = accepted(await call(wrong, 'registry.register', registration('late', { role: 'coder' })));
    const { leaseExpiresAt } = accepted(await call(wrong, 'registry.heartbeat', {}, { token }));
    expect(Math.abs(Date.parse(leaseExpiresAt) - Date.now())).toBeLessThan(60_000);
    await waitFor(async () => accepted(await call(right, 'registry.get', { name: 'late' })).status.circuit === 'open', {
      what: 'the circuit to open',
    });
    // The other core knows of it a moment later.
    const refusal = await waitFor(
      async () => {
        const answer = await wrong.fetch('/v1/events', { method: 'POST', token, json: { topic: 'code.x', data: 1 } });
        const { code, retryAfterMs = 0 } = (await answer.json()) as { code?: string; retryAfterMs?: number };
        return code === 'CIRCUIT_OPEN' ? { retryAfterMs } : null;
      },
      { what: 'a refusal' },
    );
    expect(refusal.retryAfterMs).toBeLessThanOrEqual(30_000);
    expect(refusal.retryAfterMs).toBeGreaterThan(1_000);
  },
);
