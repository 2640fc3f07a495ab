// The bus on Redis, with its policies in PGlite.
import { connectRedis, createRedisSignal, openDatabase } from '@hypercode/stores';
import { migratedFolder } from '@hypercode/stores/testing';
import { sharedRedisUrl } from '@hypercode/testkit';
import { describe } from 'vitest';
import { busSuite } from '../testing/bus.ts';
import { redisTime } from './redis/redis-time.ts';
import { logKeys } from '../src/redis/redis-keys.ts';
import { openRedisStore } from '../src/redis/redis-store.ts';
import { busSchema } from '../src/database-schema.ts';

/** Of this suite alone: retention by its small limits would cut the logs of others. */
const PREFIX = 'bus';

describe('the bus on Redis', () => {
  busSuite(async () => {
    const url = sharedRedisUrl();
    const folder = await migratedFolder('bus', [busSchema]);
    const database = await openDatabase({ dataDir: folder.path });
    const admin = connectRedis(url, { connectionName: 'swarm-test' });
    return {
      database: async () => ({ database, close: async () => undefined }),
      store: (_database, settings) => openRedisStore({ url, settings, prefix: PREFIX }),
      signal: () => createRedisSignal({ url }),
      time: () => Promise.resolve(redisTime(admin)),
      async loseLog(namespace) {
        await admin.ask((client) => client.unlink(...logKeys(namespace, PREFIX)));
      },
      async close() {
        await admin.close();
        await database.close();
        await folder.remove();
      },
    };
  });
});
