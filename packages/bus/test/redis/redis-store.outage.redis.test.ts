import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { startRedis, startRedisCluster, trackLeaks, waitFor } from '@hypercode/testkit';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import type { BusStore } from '../../src/store/bus-store.ts';
import type { LogSettings, NewEvent } from '../../src/store/event-log.ts';
import { openRedisStore } from '../../src/redis/redis-store.ts';

const settings: LogSettings = {
  retention: { maxEvents: 1_000_000, maxBytes: 2 ** 30, maxAgeMs: 86_400_000 },
  dedupWindowMs: 3_600_000,
  journalMaxBytes: 2 ** 28,
};
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const newEvent = (): NewEvent => {
  const id = randomUUID();
  return { id, source: '/agents/default/a', topic: 'a.b', text: JSON.stringify({ id }) };
};

async function start(options: Parameters<typeof startRedis>[0] = {}) {
  const server = await startRedis({ own: true, ...options });
  ends.push(() => server.close());
  return server;
}

function open(url: string, onFailure?: (error: Error) => void): BusStore {
  const store = openRedisStore({ url, settings, ...(onFailure === undefined ? {} : { onFailure }) });
  ends.push(() => store.close());
  return store;
}

async function admin(url: string): Promise<Redis> {
  const redis = new Redis(url, { lazyConnect: true });
  await redis.connect();
  ends.push(async () => {
    const ended = once(redis, 'end');
    redis.disconnect();
    await ended;
  });
  return redis;
}

/** That it fails as UNAVAILABLE, and soon enough. */
async function unavailable(call: () => Promise<unknown>): Promise<void> {
  const begunAt = performance.now();
  await expect(call()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(performance.now() - begunAt).toBeLessThan(2_000);
}

const answers = (store: BusStore) =>
  waitFor(async () => (await store.check()) === null, { what: 'the store to answer again' });

test('while Redis is stopped every call fails, and nothing of it comes later', { timeout: 60_000 }, async () => {
  const server = await start({ appendOnly: true });
  const errors: Error[] = [];
  const store = open(server.url, (error) => errors.push(error));
  const group = { topics: ['>'], ackDeadlineMs: 30_000, maxDeliveries: 5 };
  const [before] = await store.log.append('n', [newEvent()]);
  const { cursor } = await store.groups.open('n', 'g', group, 'earliest');

  for (let round = 1; round <= 2; round++) {
    await server.stop();
    const lost = newEvent();
    await Promise.all([
      unavailable(() => store.log.append('n', [lost])),
      unavailable(() => store.log.read('n', cursor, 10)),
      unavailable(() => store.log.ranges(['n'])),
      unavailable(() => store.log.size('n')),
      unavailable(() => store.groups.list('n')),
      unavailable(() => store.groups.ack('n', 'g', [{ position: cursor, life: 0, attempt: 1, uncounted: 0 }])),
      unavailable(() => store.check()),
      unavailable(() => store.applyRetention()),
    ]);
    await waitFor(() => errors.length > 0, { what: 'the outage to be reported' });
    await server.start();
    await answers(store);
    errors.length = 0;
    expect((await store.log.ranges(['n'])).get('n')?.head).toEqual(before?.position);
  }
  const [next] = await store.log.append('n', [newEvent()]);
  expect(next?.position.seq).toBe(2);
  expect(errors).toEqual([]);
});

test('a Redis that hangs is UNAVAILABLE within two seconds, and what it was sent is done once', async () => {
  const server = await start();
  const store = open(server.url);
  await store.log.append('n', [newEvent()]);
  const control = await admin(server.url);
  const pid = Number(/process_id:(\d+)/.exec(await control.info('server'))?.[1]);
  const event = newEvent();
  process.kill(pid, 'SIGSTOP');
  try {
    await Promise.all([unavailable(() => store.log.append('n', [event])), unavailable(() => store.check())]);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await answers(store);
  const [again] = await store.log.append('n', [event]);
  // The one whose answer was lost was in the socket already.
  expect(again).toMatchObject({ position: { seq: 2 } });
  expect((await store.log.ranges(['n'])).get('n')?.head.seq).toBe(2);
});

/** A way to the server on which answers take as long as the test wants. */
async function slowWay(url: string) {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let answerMs = 0;
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    near.on('data', (data) => void far.write(data));
    far.on('data', (data) => void setTimeout(() => near.writable && near.write(data), answerMs));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('close', () => other.destroy());
      one.on('error', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the way has no port');
  const way = new URL(url);
  way.host = `127.0.0.1:${address.port}`;
  return {
    url: way.href,
    answerAfter: (ms: number) => {
      answerMs = ms;
    },
  };
}

test('two seconds are for all commands of a call together', async () => {
  const server = await start();
  const way = await slowWay(server.url);
  const store = open(way.url);
  const group = { topics: ['>'], ackDeadlineMs: 30_000, maxDeliveries: 5 };
  await store.groups.open('n', 'g', group, 'earliest');
  await store.check();
  // The server has forgotten the scripts: each is sent twice.
  await (await admin(server.url)).script('FLUSH', 'SYNC');
  way.answerAfter(1_200);
  await Promise.all([
    unavailable(() => store.log.append('n', [newEvent()])),
    unavailable(() => store.groups.list('n')),
    unavailable(() => store.groups.deadLetters('n', 'g', { after: null, limit: 10 })),
    unavailable(() => store.check()),
  ]);
});

test('opens before Redis is there', { timeout: 60_000 }, async () => {
  const server = await start();
  await server.stop();
  const store = open(server.url);
  await unavailable(() => store.log.append('n', [newEvent()]));
  await server.start();
  await answers(store);
  expect(await store.log.append('n', [newEvent()])).toMatchObject([{ position: { seq: 1 } }]);
});

test('a Redis that lost everything begins a new log', async () => {
  const server = await start();
  const store = open(server.url);
  const [first] = await store.log.append('n', [newEvent(), newEvent()]);
  if (first === undefined) throw new Error('nothing was appended');
  await (await admin(server.url)).flushall();
  const answer = await store.log.read('n', first.position, 10);
  expect(answer).toMatchObject({ gap: 'log_lost', range: { head: { seq: 0, nonce: 0 } } });
  const [next] = await store.log.append('n', [newEvent()]);
  expect(next?.position.seq).toBe(1);
  expect(next?.position.epoch).not.toBe(first.position.epoch);
});

test('a Redis that does not take any more is UNAVAILABLE', async () => {
  const server = await start();
  const store = open(server.url);
  await store.log.append('n', [newEvent()]);
  const control = await admin(server.url);
  expect(await store.check()).toBeNull();
  await control.config('SET', 'maxmemory', '1');
  await unavailable(() => store.log.append('n', [newEvent()]));
  await control.config('SET', 'maxmemory', '1gb');
  await control.config('SET', 'maxmemory-policy', 'allkeys-lru');
  expect(await store.check()).toContain('allkeys-lru');
  await control.config('SET', 'min-replicas-to-write', '1');
  await unavailable(() => store.log.append('n', [newEvent()]));
});

test('a Redis that is full lets go of what is settled, dropped or old', async () => {
  const server = await start();
  const store = open(server.url);
  const group = { topics: ['>'], ackDeadlineMs: 200, maxDeliveries: 1 };
  const { cursor } = await store.groups.open('n', 'g', group, 'earliest');
  const appended = await store.log.append('n', [newEvent(), newEvent()]);
  const entries = await store.log.read('n', cursor, 10);
  if ('gap' in entries) throw new Error(entries.gap);
  const upTo = appended.at(-1)?.position ?? cursor;
  const claim = { consumer: 'c', maxInFlight: 10, max: 10, offer: { version: 1, after: cursor, entries, upTo } };
  const { deliveries } = await store.groups.claim('n', 'g', claim);
  await store.log.append('other', [newEvent(), newEvent()]);

  const control = await admin(server.url);
  await control.config('SET', 'maxmemory', '1');
  await unavailable(() => store.log.append('n', [newEvent()]));
  await waitFor(async () => (await store.groups.list('n'))[0]?.deadLetters === 2, { what: 'the deadlines to pass' });
  expect((await store.groups.deadLetters('n', 'g', { after: null, limit: 10 })).letters).toHaveLength(2);
  expect(await store.groups.ack('n', 'g', deliveries.slice(1))).toBe(1);
  expect(await store.groups.discard('n', 'g', null, '/operators/ops')).toBe(1);
  const retention = { ...settings.retention, maxEvents: 1 };
  const small = openRedisStore({ url: server.url, settings: { ...settings, retention } });
  ends.push(() => small.close());
  await small.log.ranges(['n']);
  await small.applyRetention();
  for (const [namespace, range] of await small.log.ranges(['n', 'other'])) {
    expect({ namespace, ...range }).toMatchObject({ head: { seq: 2 }, horizon: { seq: 1 } });
  }
  expect(await control.xlen('{swarm:other}:events')).toBe(1);
});

test('a fault in a call is no outage', async () => {
  const server = await start();
  const store = open(server.url);
  await (await admin(server.url)).set('{swarm:n}:log', 'not a hash');
  const refused = store.log.append('n', [newEvent()]);
  await expect(refused).rejects.toThrow('WRONGTYPE');
  await expect(refused).rejects.not.toHaveProperty('code', 'UNAVAILABLE');
});

test('a Cluster with a node away refuses, and heals', { timeout: 90_000 }, async () => {
  const cluster = await startRedisCluster();
  ends.push(() => cluster.close());
  const errors: Error[] = [];
  const store = open(cluster.url, (error) => errors.push(error));
  const namespaces = Array.from({ length: 12 }, (_, index) => `n${index}`);
  for (const namespace of namespaces) await store.log.append(namespace, [newEvent()]);
  await cluster.stopNode(0);
  const outcomes = await Promise.allSettled(namespaces.map((namespace) => store.log.append(namespace, [newEvent()])));
  const refused = outcomes.filter(({ status }) => status === 'rejected');
  expect(refused.length).toBeGreaterThan(0);
  for (const outcome of refused) expect(outcome).toMatchObject({ reason: { code: 'UNAVAILABLE' } });
  await waitFor(
    () =>
      store.check().then(
        () => false,
        () => true,
      ),
    { what: 'the check to fail' },
  );
  await cluster.startNode(0);
  const ranges = await waitFor(
    async () => {
      await store.check();
      return store.log.ranges(namespaces);
    },
    { what: 'all nodes to answer', timeoutMs: 30_000 },
  );
  for (const [index, namespace] of namespaces.entries()) {
    const wanted = outcomes[index]?.status === 'fulfilled' ? 2 : 1;
    expect(ranges.get(namespace)?.head.seq).toBe(wanted);
  }

  expect(errors.length).toBeGreaterThan(0);
  errors.length = 0;
  await cluster.stopNode(1);
  await waitFor(() => errors.length > 0, { what: 'the next outage to be reported', timeoutMs: 20_000 });
});

test('close leaves nothing, whatever state it is in', { timeout: 60_000 }, async () => {
  const server = await start();
  const cluster = await startRedisCluster();
  ends.push(() => cluster.close());
  const leaks = trackLeaks();
  for (const url of [server.url, cluster.url]) {
    await openRedisStore({ url, settings }).close();
    const used = openRedisStore({ url, settings });
    await used.log.append('n', [newEvent()]);
    await used.close();
    await used.close();
    await unavailable(() => used.log.append('n', [newEvent()]));
  }
  await leaks.check();
  await server.stop();
  const away = trackLeaks();
  const errors: Error[] = [];
  const store = openRedisStore({ url: server.url, settings, onFailure: (error) => errors.push(error) });
  await waitFor(() => errors.length > 0, { what: 'the outage to be noticed' });
  await store.close();
  await away.check();
});
