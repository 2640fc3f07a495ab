// The bus' store in PostgreSQL, or in PGlite, whose one connection everybody takes turns on.
import { type Clock, systemClock } from '@hypercode/clock';
import type { Database } from '@hypercode/stores';
import { sql } from 'kysely';
import type { BusStore } from '../store/bus-store.ts';
import type { LogSettings } from '../store/event-log.ts';
import { BoundedDatabase } from './bounded-database.ts';
import { PostgresGroups } from './postgres-groups.ts';
import { PostgresLog } from './postgres-log.ts';
import { PostgresRetention } from './postgres-retention.ts';
import { listNamespaces } from './queries/list-namespaces.ts';
import type { BusSchema } from './schema.ts';

export interface PostgresStoreOptions {
  /** With the tables of `busMigrations`. The store leaves it open. */
  database: Database;
  /** Every replica is given the same. */
  settings: LogSettings;
  clock?: Clock;
}

export function openPostgresStore({ database, settings, clock = systemClock }: PostgresStoreOptions): BusStore {
  const db = new BoundedDatabase(database.kysely.$extendTables<BusSchema>(), clock);
  const retention = new PostgresRetention(db, settings);
  return {
    log: new PostgresLog(db, settings, { retention }),
    groups: new PostgresGroups(db, { journal: settings.journalMaxBytes > 0 }),
    check: async () => {
      await db.ask((connection) => sql`select 1`.execute(connection));
      return null;
    },
    namespaces: () => db.ask(listNamespaces),
    applyRetention: () => retention.applyRetention(),
    close: () => retention.close(),
  };
}
