// Data folders whose embedded database has been migrated: made once for each state of the schemas, and copied.
import { embeddedFolder, type TemporaryFolder } from '@hypercode/testkit';
import { openDatabase } from '../src/database/database.ts';
import { migrate, type SchemaSources } from '../src/database/migrate.ts';

/** As `embeddedFolder`, with a database as a start with `schemas` leaves it. */
export const migratedFolder = (purpose: string, schemas: readonly SchemaSources[]): Promise<TemporaryFolder> =>
  embeddedFolder(purpose, {
    name: schemas.map(({ component }) => component).join('-'),
    prepare: async (path) => {
      const database = await openDatabase({ dataDir: path });
      try {
        await migrate(database.kysely, schemas);
      } finally {
        await database.close();
      }
    },
  });
