// The store on PGlite, where replicas share the one connection.
import { HeldClock } from '@hypercode/clock/testing';
import { HeldDatabaseTime, migratedFolder } from '@hypercode/stores/testing';
import { type Database, migrate, openDatabase } from '@hypercode/stores';
import { scopeOfRepetition, type TemporaryFolder, trackLeaks } from '@hypercode/testkit';
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
  let time: HeldDatabaseTime;

  beforeAll(async () => {
    folder = await migratedFolder('pglite', [busSchema]);
    database = await openDatabase({ dataDir: folder.path });
    await migrate(database.kysely, [busSchema]);
    time = await HeldDatabaseTime.hold(database);
  }, 60_000);
  afterAll(async () => {
    await database.close();
    await folder.remove();
    await leaks.check();
  });

  const clock = new HeldClock();
  const open: OpenStores = (settings) =>
    Promise.resolve(replicas({ databases: [database, database], time, clock }, settings));
  eventLogConformance('PGlite', open, scopeOfRepetition());
  groupStoreConformance('PGlite', open, scopeOfRepetition());
});
