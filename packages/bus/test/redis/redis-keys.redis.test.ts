// What the scripts leave in Redis: which keys, for how long, how many, and what a part of them from earlier means.
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { LIMITS } from '@hypercode/contracts';
import { sharedRedisUrl, waitFor } from '@hypercode/testkit';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { BusStore } from '../../src/store/bus-store.ts';
import type { LogEntry, LogSettings, NewEvent } from '../../src/store/event-log.ts';
import type { LogPosition } from '../../src/store/position.ts';
import { openRedisStore } from '../../src/redis/redis-store.ts';

const ROOMY: LogSettings = {
  retention: { maxEvents: 1_000_000, maxBytes: 2 ** 30, maxAgeMs: 86_400_000 },
  dedupWindowMs: 3_600_000,
  journalMaxBytes: 2 ** 28,
};

const stores: BusStore[] = [];
let redis: Redis;
let namespace: string;

beforeAll(async () => {
  redis = new Redis(sharedRedisUrl(), { lazyConnect: true });
  await redis.connect();
});
afterAll(async () => {
  const ended = once(redis, 'end');
  redis.disconnect();
  await ended;
});
beforeEach(() => {
  namespace = `keys-${randomUUID()}`;
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

function open(settings: Partial<LogSettings> = {}): BusStore {
  const store = openRedisStore({ url: sharedRedisUrl(), settings: { ...ROOMY, ...settings } });
  stores.push(store);
  return store;
}

const newEvents = (count: number, fields: Partial<NewEvent> = {}): NewEvent[] =>
  Array.from({ length: count }, () => {
    const id = randomUUID();
    return { id, source: `/agents/${namespace}/worker-1`, topic: 'jobs.done', text: JSON.stringify({ id }), ...fields };
  });

/** All keys with the namespace in their name, without their hash tag. */
async function keysOf(): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of redis.scanStream({ match: `*${namespace}*`, count: 1_000 }))
    keys.push(...(page as string[]));
  const tag = `{swarm:${namespace}}:`;
  for (const key of keys) expect(key).toContain(tag);
  return keys.map((key) => key.slice(tag.length)).toSorted();
}

const keyOf = (name: string): string => `{swarm:${namespace}}:${name}`;
const generations = async (): Promise<string[]> => (await keysOf()).filter((key) => key.startsWith('dedup:'));

/** The last of what was appended. */
async function append(store: BusStore, events: readonly NewEvent[]): Promise<LogPosition> {
  const position = (await store.log.append(namespace, events)).at(-1)?.position;
  if (position === undefined) throw new Error('nothing was appended');
  return position;
}

test('all keys of a namespace share its hash tag, and those of a group go when nothing is open', async () => {
  const store = open();
  const { cursor } = await store.groups.open(
    namespace,
    'g',
    { topics: ['>'], ackDeadlineMs: 60_000, maxDeliveries: 1 },
    'earliest',
  );
  const head = await append(store, newEvents(6));
  const entries = await store.log.read(namespace, cursor, 10);
  if ('gap' in entries) throw new Error(entries.gap);
  const request = { maxInFlight: 10, max: 3 };
  const begun = await store.groups.claim(namespace, 'g', {
    ...request,
    consumer: 'a b',
    offer: { version: 1, after: cursor, entries, upTo: head },
  });
  const rest = { version: 1, after: begun.cursor, entries: entries.slice(3), upTo: head };
  const { deliveries } = await store.groups.claim(namespace, 'g', { ...request, consumer: 'c\nd', offer: rest });
  expect(await redis.hgetall(keyOf('g:g:held'))).toEqual({ 'a b': '3', 'c\nd': '3' });
  await store.groups.nack(namespace, 'g', deliveries.slice(0, 1), { delayMs: 0, reason: '"\\\u0001é🐝' });
  const [dead] = (await store.groups.deadLetters(namespace, 'g', { after: null, limit: 1 })).letters;
  expect(dead?.history).toMatchObject([{ attempt: 1, consumer: 'c\nd', reason: '"\\\u0001é🐝' }]);
  expect(await store.groups.ack(namespace, 'g', [...begun.deliveries, ...deliveries])).toBe(6);
  expect((await store.groups.takeDeaths()).filter((report) => report.namespace === namespace)).toHaveLength(1);
  expect((await keysOf()).filter((key) => !key.startsWith('dedup:'))).toEqual([
    'events',
    'flows',
    'g:g',
    'g:g:passes',
    'g:g:signs',
    'groups',
    'journal',
    'journal-blocks',
    `journal:${head.epoch}:${'0'.repeat(13)}`,
    'log',
    'open-ids',
    'topic-names',
    'topics',
  ]);
});

test('a claim of large events that are unread takes about 4 MiB of them', async () => {
  const store = open();
  const { cursor } = await store.groups.open(
    namespace,
    'g',
    { topics: ['>'], ackDeadlineMs: 60_000, maxDeliveries: 3 },
    'latest',
  );
  const text = JSON.stringify('x'.repeat(250 * 1024));
  const entries: LogEntry[] = [];
  for (let call = 0; call < 2; call++) await append(store, newEvents(10, { text }));
  for (;;) {
    const page = await store.log.read(namespace, entries.at(-1)?.position ?? cursor, 1_000);
    if ('gap' in page) throw new Error(page.gap);
    if (page.length === 0) break;
    entries.push(...page);
  }
  const upTo = entries.at(-1)?.position ?? cursor;
  const claim = { consumer: 'c', maxInFlight: 1_000, max: 1_000 };
  const most = Math.floor((4 * 1024 * 1024) / text.length);
  const begun = await store.groups.claim(namespace, 'g', {
    ...claim,
    offer: { version: 1, after: cursor, entries, upTo },
  });
  expect(begun.deliveries.map(({ position }) => position)).toEqual(
    entries.slice(0, most).map(({ position }) => position),
  );
  expect(begun).toMatchObject({ cursor: entries[most - 1]?.position, room: 1_000 - most });
  const rest = { version: 1, after: begun.cursor, entries: entries.slice(most), upTo };
  const ended = await store.groups.claim(namespace, 'g', { ...claim, offer: rest });
  expect(ended.deliveries).toHaveLength(entries.length - most);
  expect(ended.cursor).toEqual(upTo);
});

test('what an attempt costs does not grow with those before it, and its history goes with the event', async () => {
  const store = open();
  const attempts = 40;
  const settings = { topics: ['>'], ackDeadlineMs: 60_000, maxDeliveries: attempts };
  const { cursor } = await store.groups.open(namespace, 'g', settings, 'latest');
  const head = await append(store, newEvents(3));
  const entries = await store.log.read(namespace, cursor, 10);
  if ('gap' in entries) throw new Error(entries.gap);
  const claim = { consumer: 'c', maxInFlight: 10, max: 10 };
  let { deliveries } = await store.groups.claim(namespace, 'g', {
    ...claim,
    offer: { version: 1, after: cursor, entries, upTo: head },
  });
  const reason = 'é'.repeat(1_024);
  const longest = async () => {
    const values = await redis.hvals(keyOf('g:g:histories'));
    return Math.max(...values.map((value) => value.length));
  };
  for (let attempt = 1; attempt <= attempts; attempt++) {
    await store.groups.nack(namespace, 'g', deliveries, { delayMs: 0, reason });
    expect(await longest()).toBeLessThan(2_000);
    ({ deliveries } = await store.groups.claim(namespace, 'g', { ...claim, offer: null }));
  }
  const { letters } = await store.groups.deadLetters(namespace, 'g', { after: null, limit: 10 });
  const wanted = Array.from({ length: attempts }, (_, index) => ({ attempt: index + 1, consumer: 'c', reason }));
  for (const { history } of letters) expect(history).toMatchObject(wanted);
  const [redriven, dropped, acked] = letters.map(({ position }) => position);
  if (redriven === undefined || dropped === undefined || acked === undefined) throw new Error('not all died');
  expect(await store.groups.redrive(namespace, 'g', [redriven])).toBe(1);
  expect(await redis.hlen(keyOf('g:g:histories'))).toBe(2 * attempts);
  expect(await store.groups.discard(namespace, 'g', [dropped], '/operators/ops')).toBe(1);
  expect(await store.groups.ack(namespace, 'g', [{ position: acked, life: 0, attempt: attempts, uncounted: 0 }])).toBe(
    1,
  );
  expect(await redis.exists(keyOf('g:g:histories'))).toBe(0);
});

test('a group of a release without secrets gets one with its first use, and ids without a proof are taken for a day', async () => {
  const store = open();
  await store.groups.open(namespace, 'g', { topics: ['>'] }, 'latest');
  await redis.hdel(keyOf('g:g'), 'secret');
  expect(await store.groups.find(namespace, 'g')).toMatchObject({ secret: null, unsignedUntil: null });
  const before = Date.now();
  const { state } = await store.groups.open(namespace, 'g', { topics: ['>'] }, 'latest');
  expect(state.secret).toEqual(expect.any(String));
  expect(Math.abs((state.unsignedUntil ?? 0) - before - 86_400_000)).toBeLessThan(60_000);
  const again = await store.groups.open(namespace, 'g', { topics: ['>'] }, 'latest');
  expect(again.state).toEqual(state);
});

test('a group with more dead letters than it keeps now comes down to that, in steps', { timeout: 60_000 }, async () => {
  const store = open();
  const { cursor } = await store.groups.open(namespace, 'g', { topics: ['>'], maxDeliveries: 1 }, 'latest');
  // As a release without counts leaves them.
  const old = LIMITS.deadLetters + 2500;
  for (let from = 0; from < old; from += 500) {
    const members = Array.from(
      { length: 500 },
      (_, i) => [`${String(from + i).padStart(16, '0')}-1-lost`, from + i + 1] as const,
    );
    await redis.zadd(keyOf('g:g:dead'), ...members.flatMap(([member, ordinal]) => [ordinal, member]));
    await redis.hset(keyOf('g:g:records'), ...members.flatMap(([member]) => [member, 'd 0 1 1 1 c']));
    await redis.hset(keyOf('g:g:texts'), ...members.flatMap(([member]) => [member, '{}']));
    await redis.hset(
      keyOf('g:g:histories'),
      ...members.flatMap(([member]) => [`${member} 1`, '{"attempt":1,"reason":"old"}']),
    );
  }
  await redis.hset(keyOf('g:g'), 'deaths', old);
  let after = cursor;
  const kill = async () => {
    const upTo = await append(store, newEvents(1));
    const entries = await store.log.read(namespace, after, 10);
    if ('gap' in entries) throw new Error(entries.gap);
    const offer = { version: 1, after, entries, upTo };
    const { deliveries } = await store.groups.claim(namespace, 'g', { consumer: 'c', maxInFlight: 10, max: 10, offer });
    after = upTo;
    expect(await store.groups.nack(namespace, 'g', deliveries, { delayMs: 0, reason: 'new' })).toBe(1);
    return store.groups.list(namespace);
  };
  expect(await kill()).toMatchObject([{ deadLetters: old - 1999 }]);
  const most = LIMITS.deadLetters;
  expect(await kill()).toMatchObject([{ deadLetters: most, deadByReason: { old: most - 2, new: 2 } }]);
  expect(await kill()).toMatchObject([{ deadLetters: most, deadByReason: { old: most - 3, new: 3 } }]);
  const reports = (await store.groups.takeDeaths()).filter((report) => report.namespace === namespace);
  expect(reports).toMatchObject([{ count: 3, dropped: 2503, reasons: { new: 3 } }]);
  expect(await redis.hlen(keyOf('g:g:histories'))).toBe(most);
  // A release before settles one and counts nothing: the next death counts all anew.
  await redis.hset(keyOf('g:g'), 'deadCount', most + 1, 'deadReasons', '{"wrong":1}');
  expect(await kill()).toMatchObject([{ deadLetters: most, deadByReason: { old: most - 4, new: 4 } }]);
});

test('deduplication lives in a few hashes, each of which ends', async () => {
  const dedupWindowMs = 400;
  const store = open({ dedupWindowMs });
  const lifetimes: number[] = [];
  const most = await waitFor(
    async () => {
      await append(store, newEvents(3));
      const found = await generations();
      for (const key of found) lifetimes.push(await redis.pttl(keyOf(key)));
      return found.length >= 5 ? found.length : null;
    },
    { what: 'as many generations as there can be', intervalMs: 1 },
  );
  expect(most).toBeLessThanOrEqual(6);
  for (const left of lifetimes) {
    // -2: it went meanwhile.
    expect(left === -2 || left > 0).toBe(true);
    expect(left).toBeLessThan(dedupWindowMs * 2 + 61_000);
  }
  await waitFor(
    async () => {
      await store.applyRetention();
      return (await generations()).length === 0;
    },
    { what: 'all records to be forgotten' },
  );
});

test('a record of deduplication takes about a hundred bytes', async () => {
  const store = open();
  for (let call = 0; call < 20; call++) await append(store, newEvents(1_000));
  const [generation, ...others] = await generations();
  expect(others).toEqual([]);
  const bytes = Number(await redis.memory('USAGE', keyOf(generation ?? ''), 'SAMPLES', 0));
  expect(bytes / 20_000).toBeLessThan(115);
});

test('marks are few, and retention keeps nearly what it may', async () => {
  const store = open({ retention: { ...ROOMY.retention, maxEvents: 1_000 } });
  for (const size of [1, 7, 999, 1_000, 1_000, 333, 1, 1]) {
    const head = await append(store, newEvents(size));
    expect(await redis.llen(keyOf('marks'))).toBeLessThanOrEqual(101);
    const kept = await redis.xlen(keyOf('events'));
    expect(kept).toBeLessThanOrEqual(1_000);
    expect(kept).toBeGreaterThanOrEqual(Math.min(head.seq, 990));
  }
});

test('topics beyond the bound are not counted, and their events are kept', async () => {
  const store = open();
  await append(store, newEvents(1, { topic: 'known' }));
  for (let call = 0; call < 100; call++) {
    const events = newEvents(1_000).map((event, index) => ({ ...event, topic: `z.${call}.${index}` }));
    await append(store, events);
  }
  expect(await redis.zcard(keyOf('topic-names'))).toBe(100_000);
  const head = await append(store, [...newEvents(1, { topic: 'new' }), ...newEvents(1, { topic: 'known' })]);
  expect(await store.log.topics(namespace, { after: null, limit: 1 })).toMatchObject([
    { topic: 'known', count: 2, last: head },
  ]);
  expect(await redis.zscore(keyOf('topic-names'), 'new')).toBeNull();
  expect(head.seq).toBe(100_003);
  await redis.unlink(...(await keysOf()).map(keyOf));
});

test('a backup that is restored is noticed by those who saw what came after it', async () => {
  const store = open();
  const kept = await append(store, newEvents(5));
  const backup = await Promise.all(
    (await keysOf()).map(async (name) => ({ key: keyOf(name), value: await redis.dumpBuffer(keyOf(name)) })),
  );
  const [lost] = newEvents(1);
  if (lost === undefined) throw new Error('no event');
  const early = await append(store, [lost]);
  const late = await append(store, newEvents(4));
  await redis.del(...(await keysOf()).map(keyOf));
  for (const { key, value } of backup) {
    if (value !== null) await redis.restore(key, 0, value);
  }

  const range = (await store.log.ranges([namespace])).get(namespace);
  expect(range?.head).toEqual(kept);
  for (const position of [early, late]) {
    expect(await store.log.read(namespace, position, 10)).toEqual({ gap: 'log_lost', range });
  }
  expect(await store.log.read(namespace, kept, 10)).toEqual([]);
  const again = await append(store, [lost]);
  expect(again.seq).toBe(early.seq);
  await append(store, newEvents(6));
  for (const position of [early, late]) {
    expect(await store.log.read(namespace, position, 10)).toMatchObject({ gap: 'log_lost' });
  }
  expect(await store.log.read(namespace, kept, 10)).toHaveLength(7);
});

test('a log whose events were taken away from under it is another log', async () => {
  const store = open();
  const old = await append(store, newEvents(3));
  const start = { ...old, seq: 0, nonce: 0 };
  await redis.del(keyOf('events'));
  const answer = await store.log.read(namespace, start, 10);
  expect(answer).toMatchObject({ gap: 'log_lost', range: { head: { seq: 0 } } });
  const next = await append(store, newEvents(1));
  expect(next.seq).toBe(1);
  expect(next.epoch).not.toBe(old.epoch);
  expect(await store.log.read(namespace, { ...next, seq: 0, nonce: 0 }, 10)).toHaveLength(1);
});

test('an event that is acknowledged after those before it were taken away is in the new log', async () => {
  const store = open();
  const events = newEvents(3);
  const old = await append(store, events);
  await redis.del(keyOf('events'));
  const again = await store.log.append(namespace, events.slice(1));
  expect(again).toMatchObject([1, 2].map((seq) => ({ position: { seq }, duplicate: false })));
  const begun = again[0]?.position ?? old;
  expect(begun.epoch).not.toBe(old.epoch);
  expect(await store.log.read(namespace, old, 10)).toMatchObject({ gap: 'log_lost', range: { head: { seq: 2 } } });
  const found = await store.log.read(namespace, { ...begun, seq: 0, nonce: 0 }, 10);
  expect(found).toMatchObject(events.slice(1).map(({ text }) => ({ text })));
});

test('a server that forgot the scripts is sent them again', async () => {
  const store = open();
  await append(store, newEvents(1));
  await redis.script('FLUSH', 'SYNC');
  expect((await append(store, newEvents(1))).seq).toBe(2);
  expect(await Promise.all([1, 2, 3].map(async () => (await append(store, newEvents(1))).seq))).toEqual([3, 4, 5]);
});

test('every key begins with the prefix of the swarm, and swarms with different ones do not meet', async () => {
  const prefix = `p${randomUUID().slice(0, 8)}`;
  const [other, usual] = [openRedisStore({ url: sharedRedisUrl(), settings: ROOMY, prefix }), open()];
  stores.push(other);
  const [event] = newEvents(1);
  if (event === undefined) throw new Error('no event');
  await other.log.append(namespace, [event]);
  await other.groups.open(namespace, 'g', { topics: ['>'], ackDeadlineMs: 30_000, maxDeliveries: 5 }, 'earliest');
  await other.write();
  await other.applyRetention();
  expect(await usual.log.size(namespace)).toMatchObject({ kept: 0 });
  expect(await usual.groups.list(namespace)).toEqual([]);
  const keys: string[] = [];
  for await (const page of redis.scanStream({ match: `*${prefix}*`, count: 1_000 })) keys.push(...(page as string[]));
  expect(keys).toContain(`{${prefix}:${namespace}}:log`);
  expect(keys).toContain(`{${prefix}}:namespaces`);
  for (const key of keys) expect(key).toMatch(new RegExp(`^\\{${prefix}[:}]`));
});

test('a Redis under whose prefix another swarm writes is recognised', async () => {
  const prefix = `p${randomUUID().slice(0, 8)}`;
  const [first, second] = [0, 1].map(() => openRedisStore({ url: sharedRedisUrl(), settings: ROOMY, prefix }));
  if (first === undefined || second === undefined) throw new Error('no stores');
  stores.push(first, second);
  const [ours, theirs] = [randomUUID(), randomUUID()];
  expect(await first.claim(ours)).toBe(true);
  expect(await second.claim(ours)).toBe(true);
  expect(await second.claim(theirs)).toBe(false);
  expect(await first.claim(ours)).toBe(true);
});

test('a release without an index and without times leaves events that are searched, and the index begins after them', async () => {
  const { log } = open();
  const events = newEvents(3);
  const [old] = await log.append(namespace, events);
  const later = async () => Number((await redis.time())[0]) * 1_000 > (old?.appendedAtMs ?? Infinity);
  await waitFor(later, { what: 'another second', intervalMs: 5 });
  const id = events[0]?.id ?? '';
  const find = () => log.find(namespace, id, { before: null, limit: 10 });
  expect(await find()).toMatchObject({ entries: [{ position: { seq: 1 } }], unindexed: null });

  // As that release appends.
  await redis.xadd(keyOf('events'), '4-7', 't', 'jobs.done', 'e', '{}');
  await redis.hset(keyOf('log'), { head: 4, headNonce: 7 });
  expect(await find()).toMatchObject({ entries: [], unindexed: { seq: 4, nonce: 7 } });
  const [added] = await log.append(namespace, newEvents(1));
  expect(await find()).toMatchObject({ entries: [], unindexed: { seq: 4, nonce: 7 } });
  expect(await redis.hget(keyOf('log'), 'indexFrom')).toBe('5');

  const back = await log.readBack(namespace, null, 2);
  const appendedAtMs = added?.appendedAtMs ?? 0;
  expect(back).toMatchObject({ entries: [{ appendedAtMs }, { appendedAtMs: null, position: { seq: 4 } }] });
  // An event without a time may have been appended before any time, and after any.
  expect(await log.positionBefore(namespace, appendedAtMs, 'before')).toMatchObject({ seq: 4 });
  expect(await log.positionBefore(namespace, 1, 'after')).toMatchObject({ seq: 0 });

  // As that release applies retention.
  const [, , , , first] = (await redis.xrange(keyOf('events'), '-', '+')) as [string, string[]][];
  expect(first?.[0]).toMatch(/^5-/);
  await redis.hset(keyOf('log'), { horizon: 3, horizonNonce: added?.before?.nonce ?? 0 });
  await redis.xtrim(keyOf('events'), 'MINID', '4');
  expect(await log.find(namespace, id, { before: null, limit: 10 })).toMatchObject({ unindexed: { seq: 5 } });
});

test('the index of ids takes 8 bytes an event, in blocks that go with the log', async () => {
  const store = open({ retention: { ...ROOMY.retention, maxEvents: 5_000 } });
  for (let call = 0; call < 15; call += 1) await append(store, newEvents(1_000));
  await waitFor(
    async () => {
      await store.applyRetention();
      const { kept } = await store.log.size(namespace);
      return kept <= 5_000;
    },
    { what: 'retention to be applied' },
  );
  expect(await redis.hkeys(keyOf('ids'))).toEqual(['2']);
  expect(await redis.hstrlen(keyOf('ids'), '2')).toBe(4_096 * 8);
  expect(await redis.strlen(keyOf('open-ids'))).toBe((15_000 - 3 * 4_096) * 8);

  const without = open({ eventIndex: false });
  await append(without, newEvents(1));
  expect((await keysOf()).filter((key) => key.includes('ids'))).toEqual([]);
  expect(await redis.hexists(keyOf('log'), 'indexFrom')).toBe(0);
});
