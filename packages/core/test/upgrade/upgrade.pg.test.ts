// A PostgreSQL and a Redis that the first schema wrote to, under a core of today.
import { openDatabase } from '@hypercode/stores';
import { freshDatabase, startRedis } from '@hypercode/testkit';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { migrateDatabase } from '../../src/assemble-core.ts';
import { startTestCore, type TestCore } from '../../testing/core.ts';
import { describeSchema } from './describe-schema.ts';
import { expectSeeded, PATIENT, postgresDump, REDIS_SNAPSHOT, seeded } from './first-schema.ts';

async function restored(): Promise<string> {
  const url = await freshDatabase();
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(postgresDump());
  await client.end();
  return url;
}

async function start(databaseUrl: string, redisUrl: string | null): Promise<TestCore> {
  const core = await startTestCore({ ...PATIENT, databaseUrl, redisUrl });
  onTestFinished(() => core.close());
  return core;
}

test('a database of the first schema has the schema of a new one after an upgrade', async () => {
  const urls = [await restored(), await freshDatabase()];
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

test('events and groups in PostgreSQL are kept', async () => {
  await expectSeeded(await start(await restored(), null), seeded.onPostgres);
});

test('events and groups in Redis are kept', async () => {
  const redis = await startRedis({ own: true, snapshot: REDIS_SNAPSHOT });
  onTestFinished(() => redis.close());
  await expectSeeded(await start(await restored(), redis.url), seeded.onRedis);
});
