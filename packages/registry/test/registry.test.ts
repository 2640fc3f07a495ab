// The registry on PGlite, where all replicas are in one process.
import { openDatabase } from '@hypercode/stores';
import { migratedFolder } from '@hypercode/stores/testing';
import { createLocalSignal } from '@hypercode/feed';
import { scopeOfRepetition, trackLeaks } from '@hypercode/testkit';
import { describe } from 'vitest';
import { registrySuite } from '../testing/registry.ts';
import { registrySchema } from '../src/database-schema.ts';

describe('the registry on PGlite', () => {
  registrySuite(async () => {
    const folder = await migratedFolder('registry', [registrySchema]);
    const database = await openDatabase({ dataDir: folder.path });
    const signal = createLocalSignal();
    return {
      connect: async () => ({ database, close: async () => undefined }),
      signal: () => ({ ...signal, linked: true, close: async () => undefined }),
      trackLeaks,
      async close() {
        await signal.close();
        await database.close();
        await folder.remove();
      },
    };
  }, scopeOfRepetition());
});
