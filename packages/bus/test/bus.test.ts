// The bus on PGlite, where all replicas are in one process.
import { HeldDatabaseTime, migratedFolder } from '@hypercode/stores/testing';
import { HeldClock } from '@hypercode/clock/testing';
import { openDatabase } from '@hypercode/stores';
import { createLocalSignal } from '@hypercode/feed';
import { scopeOfRepetition } from '@hypercode/testkit';
import { describe } from 'vitest';
import { busSuite } from '../testing/bus.ts';
import { heldStoreTime } from './postgres/held-store-time.ts';
import { loseLog } from './postgres/replicas.ts';
import { openPostgresStore } from '../src/postgres/postgres-store.ts';
import { busSchema } from '../src/database-schema.ts';

describe('the bus on PGlite', () => {
  busSuite(async () => {
    const folder = await migratedFolder('bus', [busSchema]);
    const database = await openDatabase({ dataDir: folder.path });
    const signal = createLocalSignal();
    // Bounds the calls: a machine that is slow fails none.
    const clock = new HeldClock();
    return {
      database: async () => ({ database, close: async () => undefined }),
      store: (of, settings) => openPostgresStore({ database: of, settings, clock }),
      signal: () => ({ ...signal, linked: true, close: async () => undefined }),
      time: async () => heldStoreTime(await HeldDatabaseTime.hold(database)),
      loseLog: (namespace) => loseLog(database, namespace),
      async close() {
        await signal.close();
        await database.close();
        await folder.remove();
      },
    };
  }, scopeOfRepetition());
});
