// A store goes away under a core. Redis: publishing says so in time, nothing is sent later behind its caller's back, and everything
// goes on when it is back. PostgreSQL: agents that are known go on publishing and hearing.
import { createSwarmClient } from '@hypercode/client';
import { accepted, call, refusalCode, registration, send } from '@hypercode/core-runtime/testing';
import { freshDatabase, sharedRedisUrl, startPostgres, startRedis, waitFor } from '@hypercode/testkit';
import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';

const stack: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

test('an outage of Redis', { timeout: 240_000 }, async () => {
  const redis = await startRedis({ own: true, appendOnly: true });
  stack.push(() => redis.close());
  const core = await spawnCore({
    env: {
      DATABASE_URL: await freshDatabase(),
      REDIS_URL: redis.url,
      SWARM_RATE_PUBLISH: '0',
      SWARM_RATE_PUBLISH_BYTES: '0',
    },
  });
  stack.push(() => core.close());
  const client = createSwarmClient({ url: core.url, token: core.adminToken });
  stack.push(() => client.close());
  const received: unknown[] = [];
  const gaps: unknown[] = [];
  const listener = client.on(['work.>'], ({ data }) => received.push(data), {
    from: 'earliest',
    onGap: (gap) => gaps.push(gap),
  });
  stack.push(() => listener.stop());
  await client.publish('work.before', 'before');
  await waitFor(() => received.length === 1, { what: 'the first event' });

  const publish = (id: string, data: string) =>
    fetch(`${core.url}/trpc/bus.publish`, {
      method: 'POST',
      headers: { authorization: `Bearer ${core.adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id, topic: 'work.away', data }),
    });
  await redis.stop();
  const ids = Array.from({ length: 20 }, () => randomUUID());
  for (const id of ids) {
    const startedAt = performance.now();
    const answer = await publish(id, 'lost');
    // What DESIGN promises a caller: an answer within two seconds.
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      error: { data: { swarm: { code: 'UNAVAILABLE', retryable: true, details: { id } } } },
    });
  }
  expect((await fetch(`${core.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${core.url}/healthz`)).status).toBe(200);
  await call(core, 'registry.register', { name: 'still-works', role: 'worker', version: '1.0.0' });

  await redis.start();
  await waitFor(async () => (await fetch(`${core.url}/readyz`)).status === 200, {
    what: 'the core to be ready',
    timeoutMs: 30_000,
  });
  await client.publish('work.after', 'after');
  await waitFor(() => received.includes('after'), { what: 'the stream to go on', timeoutMs: 30_000 });
  expect(received).toEqual(['before', 'after']);
  expect(gaps).toEqual([]);
  for (const id of ids.slice(0, 2)) {
    const [first, second] = [await publish(id, 'retried'), await publish(id, 'retried')];
    expect(await first.json()).toMatchObject({ result: { data: { id, duplicate: false } } });
    expect(await second.json()).toMatchObject({ result: { data: { id, duplicate: true } } });
  }
  await waitFor(() => received.length === 4, { what: 'the retried events' });
  expect(received).toEqual(['before', 'after', 'retried', 'retried']);
});

test('an outage of PostgreSQL stops nobody who is known from publishing on Redis', { timeout: 240_000 }, async () => {
  const postgres = await startPostgres({ own: true });
  stack.push(() => postgres.close());
  const core = await spawnCore({
    env: { DATABASE_URL: await postgres.createDatabase(), REDIS_URL: sharedRedisUrl() },
  });
  stack.push(() => core.close());
  // Redis is shared with other tests.
  const namespace = `n${randomUUID().slice(0, 12)}`;
  const join = async (name: string): Promise<string> =>
    accepted(await call(core, 'registry.register', registration(name, { namespace }))).token ?? '';
  const publish = (token: string, name: string, data: number) =>
    call(core, 'bus.publish', { namespace, topic: `task.${name}.done`, data }, { token });
  const [known, unknown] = [await join('ada'), await join('eve')];
  const client = createSwarmClient({ url: core.url, token: known, namespace });
  stack.push(() => client.close());
  const received: unknown[] = [];
  const listener = client.on(['task.ada.>'], ({ data }) => received.push(data), { from: 'earliest' });
  stack.push(() => listener.stop());
  accepted(await publish(known, 'ada', 0));
  await waitFor(() => received.length === 1, { what: 'the first event' });

  await postgres.stop();
  await waitFor(
    async () => {
      const answer = await send(core, { method: 'GET', path: '/readyz' });
      return answer.ok && answer.status === 503 && answer.body.includes('database');
    },
    { what: '/readyz 503', timeoutMs: 30_000 },
  );
  for (let data = 1; data <= 50; data += 1) accepted(await publish(known, 'ada', data));
  await waitFor(() => received.length === 51, { what: 'what was published meanwhile' });
  expect(received).toEqual(Array.from({ length: 51 }, (_, data) => data));
  expect(refusalCode(await publish(unknown, 'eve', 0))).toBe('UNAVAILABLE');

  await postgres.start();
  await waitFor(async () => (await publish(unknown, 'eve', 1)).ok, { what: 'eve to be known', timeoutMs: 30_000 });
});
