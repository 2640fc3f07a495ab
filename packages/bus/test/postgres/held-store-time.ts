// The time of a store in PostgreSQL or PGlite, held, for the suites.
import type { HeldDatabaseTime } from '@hypercode/stores/testing';
import type { StoreTime } from '../../testing/bus-store.ts';

export const heldStoreTime = (time: HeldDatabaseTime): StoreTime => ({
  nowMs: () => Promise.resolve(time.nowMs),
  pass: (ms) => time.advance(ms),
});
