// Stores of two replicas as the conformance suites want them, for the tests on PostgreSQL and on PGlite.
import type { Database } from '@hypercode/stores';
import type { LogSettings } from '../../src/store/event-log.ts';
import { openPostgresStore } from '../../src/postgres/postgres-store.ts';
import type { BusSchema } from '../../src/postgres/schema.ts';

/** The databases stay open. */
export function replicas([first, second]: [Database, Database], settings: LogSettings) {
  return {
    first: openPostgresStore({ database: first, settings }),
    second: openPostgresStore({ database: second, settings }),
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
