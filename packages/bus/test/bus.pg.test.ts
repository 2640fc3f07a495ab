// The bus on PostgreSQL, where replicas share nothing but the server.
import { HeldDatabaseTime } from '@hypercode/stores/testing';
import { HeldClock } from '@hypercode/clock/testing';
import { createPostgresSignal, openDatabase } from '@hypercode/stores';
import { freshDatabase } from '@hypercode/testkit';
import { describe } from 'vitest';
import { busSuite } from '../testing/bus.ts';
import { heldStoreTime } from './postgres/held-store-time.ts';
import { loseLog } from './postgres/replicas.ts';
import { openPostgresStore } from '../src/postgres/postgres-store.ts';

describe('the bus on PostgreSQL', () => {
  busSuite(async () => {
    const url = await freshDatabase();
    const keeper = await openDatabase({ url });
    // Bounds the calls: a machine that is slow fails none.
    const clock = new HeldClock();
    return {
      async database() {
        const database = await openDatabase({ url });
        return { database, close: () => database.close() };
      },
      store: (database, settings) => openPostgresStore({ database, settings, clock }),
      signal: () => createPostgresSignal({ connectionString: url }),
      time: async () => heldStoreTime(await HeldDatabaseTime.hold(keeper)),
      loseLog: (namespace) => loseLog(keeper, namespace),
      close: () => keeper.close(),
    };
  });
});
