// The bus on PostgreSQL, where replicas share nothing but the server.
import { createPostgresSignal, openDatabase } from '@hypercode/stores';
import { freshDatabase } from '@hypercode/testkit';
import { describe } from 'vitest';
import { busSuite } from '../testing/bus.ts';
import { loseLog } from './postgres/replicas.ts';
import { openPostgresStore } from '../src/postgres/postgres-store.ts';

describe('the bus on PostgreSQL', () => {
  busSuite(async () => {
    const url = await freshDatabase();
    return {
      async database() {
        const database = await openDatabase({ url });
        return { database, close: () => database.close() };
      },
      store: (database, settings) => openPostgresStore({ database, settings }),
      signal: () => createPostgresSignal({ connectionString: url }),
      async loseLog(namespace) {
        const database = await openDatabase({ url });
        await loseLog(database, namespace);
        await database.close();
      },
      close: async () => undefined,
    };
  });
});
