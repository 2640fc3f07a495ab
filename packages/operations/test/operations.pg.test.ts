// Operations on PostgreSQL, where replicas share nothing but the server.
import { openDatabase } from '@hypercode/stores';
import { freshDatabase } from '@hypercode/testkit';
import { describe } from 'vitest';
import { operationsSuite } from '../testing/operations.ts';

describe('operations on PostgreSQL', () => {
  operationsSuite(async () => {
    const url = await freshDatabase();
    return {
      async connect() {
        const database = await openDatabase({ url });
        return { database, close: () => database.close() };
      },
      close: async () => undefined,
    };
  });
});
