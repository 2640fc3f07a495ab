// The registry on PostgreSQL, where replicas share nothing but the server.
import { createPostgresSignal, openDatabase } from '@hypercode/stores';
import { freshDatabase, trackLeaks } from '@hypercode/testkit';
import { describe } from 'vitest';
import { registrySuite } from '../testing/registry.ts';

describe('the registry on PostgreSQL', () => {
  registrySuite(async () => {
    const url = await freshDatabase();
    return {
      async connect() {
        const database = await openDatabase({ url });
        return { database, close: () => database.close() };
      },
      signal: () => createPostgresSignal({ connectionString: url }),
      trackLeaks,
      close: async () => undefined,
    };
  });
});
