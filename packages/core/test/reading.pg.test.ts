// Reading makes no state: two hundred namespaces without any write leave nothing behind when they are read, on PostgreSQL
// alone and with Redis.
import { openDatabase } from '@hypercode/stores';
import { freshDatabase, startRedis } from '@hypercode/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startTestCore } from '../testing/core.ts';
import { expectNothingFollowed, readNamespaces, rowsOf } from './read-everything.ts';

const NAMESPACES = Array.from({ length: 200 }, (_, index) => `fresh-${index}`);

async function openRows(url: string): Promise<() => Promise<Record<string, number>>> {
  const database = await openDatabase({ url });
  onTestFinished(() => database.close());
  return () => rowsOf(database.kysely as never);
}

test('reading fresh namespaces leaves no row, feed or policy behind', async () => {
  const databaseUrl = await freshDatabase();
  const core = await startTestCore({ databaseUrl, adminToken: 'the-admin-token' });
  onTestFinished(() => core.close());
  const rows = await openRows(databaseUrl);
  const before = await rows();
  await readNamespaces(core, NAMESPACES);
  await expectNothingFollowed(core);
  expect(await rows()).toEqual(before);
}, 300_000);

test('reading fresh namespaces leaves no key or channel in Redis', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.close());
  const databaseUrl = await freshDatabase();
  const core = await startTestCore({ databaseUrl, redisUrl: redis.url, adminToken: 'the-admin-token' });
  onTestFinished(() => core.close());
  const rows = await openRows(databaseUrl);
  const client = new Redis(redis.url);
  onTestFinished(() => client.disconnect());
  const left = async () => ({
    rows: await rows(),
    keys: await client.dbsize(),
    channels: [await client.pubsub('CHANNELS'), await client.pubsub('SHARDCHANNELS')],
  });
  const before = await left();
  await readNamespaces(core, NAMESPACES);
  await expectNothingFollowed(core);
  // What retention does of its own accord makes nothing, either.
  await core.bus.applyRetention();
  expect(await left()).toEqual(before);
}, 300_000);
