// An embedded database that the first schema wrote to, under a core of today.
import { PGlite } from '@electric-sql/pglite';
import { openDatabase } from '@hypercode/stores';
import { embeddedFolder, type TemporaryFolder } from '@hypercode/testkit';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { migrateDatabase } from '../../src/assemble-core.ts';
import { coreFolder } from '../../testing/core-folder.ts';
import { START_TIMEOUT_MS, startTestCore } from '../../testing/core.ts';
import { describeSchema } from './describe-schema.ts';
import { expectSeeded, PATIENT, postgresDump, seeded } from './first-schema.ts';

async function restored(): Promise<TemporaryFolder> {
  const folder = await embeddedFolder('upgrade');
  onTestFinished(() => folder.remove());
  const pglite = await PGlite.create({ dataDir: join(folder.path, 'database') });
  await pglite.exec(postgresDump());
  await pglite.close();
  return folder;
}

test(
  'an embedded database of the first schema has the schema of a new one after an upgrade',
  async () => {
    const fresh = await coreFolder('fresh');
    onTestFinished(() => fresh.remove());
    const schemas = [];
    for (const folder of [await restored(), fresh]) {
      const database = await openDatabase({ dataDir: folder.path });
      await migrateDatabase(database, null);
      schemas.push(await describeSchema(database.kysely));
      await database.close();
    }
    expect(schemas[0]).toEqual(schemas[1]);
  },
  START_TIMEOUT_MS,
);

test(
  'agents, events and groups in an embedded database are kept',
  async () => {
    const folder = await restored();
    const core = await startTestCore({ ...PATIENT, dataDir: folder.path });
    try {
      await expectSeeded(core, seeded.onPostgres);
    } finally {
      await core.close();
    }
  },
  START_TIMEOUT_MS,
);
