// A PostgreSQL and a Redis that former releases wrote to, under a core of today.
import { openDatabase } from '@hypercode/stores';
import { freshDatabase, startRedis } from '@hypercode/testkit';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { migrateDatabase } from '../../src/assemble-core.ts';
import { startTestCore, type TestCore } from '../../testing/core.ts';
import { describeSchema } from './describe-schema.ts';
import { expectSeeded, FORMER_STORES, type FormerStores, PATIENT } from './former-stores.ts';

async function restored({ dump }: FormerStores): Promise<string> {
  const url = await freshDatabase();
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(dump());
  await client.end();
  return url;
}

async function start(databaseUrl: string, redisUrl: string | null): Promise<TestCore> {
  const core = await startTestCore({ ...PATIENT, databaseUrl, redisUrl });
  onTestFinished(() => core.close());
  return core;
}

test.each(FORMER_STORES)('a database of $name has the schema of a new one after an upgrade', async (former) => {
  const urls = [await restored(former), await freshDatabase()];
  const schemas = [];
  for (const url of urls) {
    const database = await openDatabase({ url });
    onTestFinished(() => database.close());
    await migrateDatabase(database, url);
    schemas.push(await describeSchema(database.kysely));
  }
  expect(schemas[0]).toEqual(schemas[1]);
  expect(schemas[0]?.['functions']?.length).toBeGreaterThan(10);
});

test.each(FORMER_STORES)('events and groups of $name in PostgreSQL are kept', async (former) => {
  await expectSeeded(await start(await restored(former), null), former.seeded.onPostgres);
});

test.each(FORMER_STORES)('events and groups of $name in Redis are kept', async (former) => {
  const redis = await startRedis({ own: true, snapshot: former.snapshot });
  onTestFinished(() => redis.close());
  await expectSeeded(await start(await restored(former), redis.url), former.seeded.onRedis);
});
