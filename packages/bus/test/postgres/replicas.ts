// Stores of two replicas as the conformance suites want them, for the tests on PostgreSQL and on PGlite.
import type { Clock } from '@hypercode/clock';
import type { Database } from '@hypercode/stores';
import type { HeldDatabaseTime } from '@hypercode/stores/testing';
import type { LogSettings } from '../../src/store/event-log.ts';
import { openPostgresStore } from '../../src/postgres/postgres-store.ts';
import type { Replicas } from '../../testing/bus-store.ts';
import { heldStoreTime } from './held-store-time.ts';
import type { BusSchema } from '../../src/postgres/schema.ts';

interface Shared {
  readonly databases: readonly [Database, Database];
  readonly time: HeldDatabaseTime;
  /** Bounds the calls: held, so that no call of a suite fails on a machine that is slow. */
  readonly clock: Clock;
}

/** The databases stay open. */
export function replicas({ databases: [first, second], time, clock }: Shared, settings: LogSettings): Replicas {
  return {
    first: openPostgresStore({ database: first, settings, clock }),
    second: openPostgresStore({ database: second, settings, clock }),
    time: heldStoreTime(time),
    loseLog: (namespace: string) => loseLog(first, namespace),
  };
}

/** Takes away everything of a log; groups stay. */
export async function loseLog(database: Database, namespace: string): Promise<void> {
  const db = database.kysely.$extendTables<BusSchema>();
  for (const table of ['bus_logs', 'bus_events', 'bus_dedup', 'bus_topics'] as const) {
    await db.deleteFrom(table).where('namespace', '=', namespace).execute();
  }
}
