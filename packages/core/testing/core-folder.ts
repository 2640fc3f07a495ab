// Data folders for cores of tests: the database in them has been migrated, so that a start takes a fraction of a second.
import { openDatabase } from '@hypercode/stores';
import { embeddedFolder, type TemporaryFolder } from '@hypercode/testkit';
import { migrateDatabase } from '../src/assemble-core.ts';

/** As `embeddedFolder`, with the database as a core leaves it after its first start. */
export const coreFolder = (purpose: string): Promise<TemporaryFolder> =>
  embeddedFolder(purpose, {
    name: 'core',
    async prepare(path) {
      const database = await openDatabase({ dataDir: path });
      try {
        await migrateDatabase(database, null);
      } finally {
        await database.close();
      }
    },
  });
