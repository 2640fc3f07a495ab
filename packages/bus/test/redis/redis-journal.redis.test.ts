// What the journal says of groups on which a replica of the release before has worked: its scripts keep no record.
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { sharedRedisUrl } from '@hypercode/testkit';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { at, newEvents, ROOMY } from '../../testing/bus-store.ts';
import { SETTINGS } from '../../testing/group-under-test.ts';
import { openRedisStore, type RedisStore } from '../../src/redis/redis-store.ts';
import type { LogPosition } from '../../src/store/position.ts';
import { readFates } from '../../src/tracing/group-fate.ts';

let redis: Redis;
let store: RedisStore;
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
  namespace = `journal-${randomUUID()}`;
  store = openRedisStore({ url: sharedRedisUrl(), settings: ROOMY });
});
afterEach(() => store.close());

const group = (): string => `{swarm:${namespace}}:g:workers`;

async function fatesOf(positions: readonly LogPosition[]): Promise<string[]> {
  const fates = await Promise.all(
    positions.map(async (position) => readFates(store.groups, namespace, { position, topic: 'jobs.done' })),
  );
  return fates.map(([fate]) => fate?.state ?? 'none');
}

/** Lets the cursor pass what is before `upTo` without taking it. */
const pass = (version: number, after: LogPosition, upTo: LogPosition) =>
  store.groups.claim(namespace, 'workers', {
    consumer: 'ann',
    maxInFlight: 1,
    max: 1,
    offer: { version, after, entries: [], upTo },
  });

async function withEvents(topics: string[]): Promise<{ cursor: LogPosition; positions: LogPosition[] }> {
  const { cursor } = await store.groups.open(namespace, 'workers', { ...SETTINGS, topics }, 'earliest');
  const appended = await store.log.append(namespace, newEvents(4));
  return { cursor, positions: appended.map(({ position }) => position) };
}

test('how a group of the release before came to where it is is unknown, and known from there on', async () => {
  const { cursor, positions } = await withEvents(['other']);
  await pass(1, cursor, at(positions, 0));
  await redis.hdel(group(), 'number', 'began', 'passes');
  await redis.del(`${group()}:passes`);
  expect(await fatesOf(positions)).toEqual(['unknown', 'not_matching', 'not_matching', 'not_matching']);
  const [fate] = await readFates(store.groups, namespace, { position: at(positions, 0), topic: 'jobs.done' });
  expect(fate).toMatchObject({ since: null });
  await pass(1, at(positions, 0), at(positions, 1));
  await store.groups.update(namespace, 'workers', { topics: ['>'] });
  expect(await fatesOf(positions)).toEqual(['unknown', 'not_matching', 'unread', 'unread']);
});

test('what a replica of the release before passed after it changed the settings is unknown', async () => {
  const { positions } = await withEvents(['>']);
  await store.groups.seek(namespace, 'workers', at(positions, 0), { dropOpen: false });
  const { seq, nonce } = at(positions, 1);
  await redis.hset(group(), { topics: '["other"]', version: 2, seq, nonce });
  expect(await fatesOf(positions)).toEqual(['skipped', 'unknown', 'not_matching', 'not_matching']);
  await pass(2, at(positions, 1), at(positions, 2));
  expect(await fatesOf(positions)).toEqual(['skipped', 'unknown', 'not_matching', 'not_matching']);
});

test('a seek of the release before makes unknown what seeks had passed', async () => {
  const { positions } = await withEvents(['>']);
  await store.groups.seek(namespace, 'workers', at(positions, 3), { dropOpen: false });
  expect(await fatesOf(positions)).toEqual(['skipped', 'skipped', 'skipped', 'skipped']);
  const { epoch, seq, nonce } = at(positions, 1);
  const replay = { replayEpoch: epoch, replaySeq: seq, replayNonce: nonce, replayLife: 7 };
  await redis.hset(group(), { lives: 7, ...replay });
  expect(await fatesOf(positions)).toEqual(['unknown', 'unknown', 'unread', 'unread']);
});
