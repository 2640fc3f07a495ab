// The store on PGlite, where replicas share the one connection.
import { type Database, migrate, openDatabase } from '@hypercode/stores';
import { embeddedFolder, scopeOfRepetition, type TemporaryFolder, trackLeaks } from '@hypercode/testkit';
import { eventLogConformance } from '../../testing/event-log.ts';
import { groupStoreConformance } from '../../testing/group-store.ts';
import type { OpenStores } from '../../testing/bus-store.ts';
import { afterAll, beforeAll, describe } from 'vitest';
import { busSchema } from '../../src/database-schema.ts';
import { replicas } from './replicas.ts';

describe('PGlite', () => {
  const leaks = trackLeaks();
  let folder: TemporaryFolder;
  let database: Database;

  beforeAll(async () => {
    folder = await embeddedFolder('pglite');
    database = await openDatabase({ dataDir: folder.path });
    await migrate(database.kysely, [busSchema]);
  }, 60_000);
  afterAll(async () => {
    await database.close();
    await folder.remove();
    await leaks.check();
  });

  const open: OpenStores = (settings) => Promise.resolve(replicas([database, database], settings));
  eventLogConformance('PGlite', open, scopeOfRepetition());
  groupStoreConformance('PGlite', open, scopeOfRepetition());
});
