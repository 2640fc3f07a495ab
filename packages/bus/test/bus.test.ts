// The bus on PGlite, where all replicas are in one process.
import { openDatabase } from '@hypercode/stores';
import { createLocalSignal } from '@hypercode/feed';
import { embeddedFolder, scopeOfRepetition } from '@hypercode/testkit';
import { describe } from 'vitest';
import { busSuite } from '../testing/bus.ts';
import { loseLog } from './postgres/replicas.ts';
import { openPostgresStore } from '../src/postgres/postgres-store.ts';

describe('the bus on PGlite', () => {
  busSuite(async () => {
    const folder = await embeddedFolder('bus');
    const database = await openDatabase({ dataDir: folder.path });
    const signal = createLocalSignal();
    return {
      database: async () => ({ database, close: async () => undefined }),
      store: (of, settings) => openPostgresStore({ database: of, settings }),
      signal: () => ({ ...signal, linked: true, close: async () => undefined }),
      loseLog: (namespace) => loseLog(database, namespace),
      async close() {
        await signal.close();
        await database.close();
        await folder.remove();
      },
    };
  }, scopeOfRepetition());
});
