// The bus' store in PostgreSQL, or in PGlite, whose one connection everybody takes turns on.
import type { Database } from '@hypercode/stores';
import { sql } from 'kysely';
import type { BusStore } from '../store/bus-store.ts';
import type { LogSettings } from '../store/event-log.ts';
import { inTime } from './in-time.ts';
import { PostgresGroups } from './postgres-groups.ts';
import { PostgresLog } from './postgres-log.ts';
import { PostgresRetention } from './postgres-retention.ts';
import type { BusSchema } from './schema.ts';

export interface PostgresStoreOptions {
  /** With the tables of `busMigrations`. The store leaves it open. */
  database: Database;
  /** Every replica is given the same. */
  settings: LogSettings;
}

export function openPostgresStore({ database, settings }: PostgresStoreOptions): BusStore {
  const db = database.kysely.$extendTables<BusSchema>();
  const retention = new PostgresRetention(db, settings);
  return {
    log: new PostgresLog(db, settings, { retention }),
    groups: new PostgresGroups(db),
    check: async () => {
      await inTime(db, (connection) => sql`select 1`.execute(connection));
      return null;
    },
    housekeep: () => retention.housekeep(),
    close: () => retention.close(),
  };
}
