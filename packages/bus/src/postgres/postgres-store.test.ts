// The store on PGlite, where replicas share the one connection.
import { type Database, migrate, openDatabase } from '@hypercode/database';
import {
  embeddedFolder,
  eventLogConformance,
  groupStoreConformance,
  type OpenStores,
  type TemporaryFolder,
  trackLeaks,
} from '@hypercode/testkit';
import { afterAll, beforeAll, describe } from 'vitest';
import { busMigrations } from './migrations/index.ts';
import { replicas } from './postgres-store-suite.ts';

describe('PGlite', () => {
  const leaks = trackLeaks();
  let folder: TemporaryFolder;
  let database: Database;

  beforeAll(async () => {
    folder = await embeddedFolder('pglite');
    database = await openDatabase({ dataDir: folder.path });
    await migrate(database.kysely, busMigrations);
  }, 60_000);
  afterAll(async () => {
    await database.close();
    await folder.remove();
    await leaks.check();
  });

  const open: OpenStores = (settings) => Promise.resolve(replicas([database, database], settings));
  eventLogConformance('PGlite', open);
  groupStoreConformance('PGlite', open);
});
