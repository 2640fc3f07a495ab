// Operations on PGlite, where all replicas are in one process.
import { openDatabase } from '@hypercode/stores';
import { migratedFolder } from '@hypercode/stores/testing';
import { describe } from 'vitest';
import { operationsSchema } from '../src/database-schema.ts';
import { operationsSuite } from '../testing/operations.ts';

describe('operations on PGlite', () => {
  operationsSuite(async () => {
    const folder = await migratedFolder('operations', [operationsSchema]);
    const database = await openDatabase({ dataDir: folder.path });
    return {
      connect: async () => ({ database, close: async () => undefined }),
      async close() {
        await database.close();
        await folder.remove();
      },
    };
  });
});
