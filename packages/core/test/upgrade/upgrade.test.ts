// An embedded database that former releases wrote to, under a core of today.
import { PGlite } from '@electric-sql/pglite';
import { openDatabase } from '@hypercode/stores';
import { embeddedFolder, type TemporaryFolder } from '@hypercode/testkit';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { migrateDatabase } from '../../src/assemble-core.ts';
import { coreFolder } from '../../testing/core-folder.ts';
import { START_TIMEOUT_MS, startTestCore } from '../../testing/core.ts';
import { describeSchema } from './describe-schema.ts';
import { expectSeeded, FORMER_STORES, type FormerStores, PATIENT } from './former-stores.ts';

async function restored({ dump }: FormerStores): Promise<TemporaryFolder> {
  const folder = await embeddedFolder('upgrade');
  onTestFinished(() => folder.remove());
  const pglite = await PGlite.create({ dataDir: join(folder.path, 'database') });
  await pglite.exec(dump());
  await pglite.close();
  return folder;
}

test.each(FORMER_STORES)(
  'an embedded database of $name has the schema of a new one after an upgrade',
  async (former) => {
    const fresh = await coreFolder('fresh');
    onTestFinished(() => fresh.remove());
    const schemas = [];
    for (const folder of [await restored(former), fresh]) {
      const database = await openDatabase({ dataDir: folder.path });
      await migrateDatabase(database, null);
      schemas.push(await describeSchema(database.kysely));
      await database.close();
    }
    expect(schemas[0]).toEqual(schemas[1]);
  },
  START_TIMEOUT_MS,
);

test.each(FORMER_STORES)(
  'agents, events and groups of $name in an embedded database are kept',
  async (former) => {
    const folder = await restored(former);
    const core = await startTestCore({ ...PATIENT, dataDir: folder.path });
    try {
      await expectSeeded(core, former.seeded.onPostgres);
    } finally {
      await core.close();
    }
  },
  START_TIMEOUT_MS,
);
