// The one door to SQL: a PostgreSQL server, or PGlite in a worker thread, behind the same Kysely dialect.
import { type Clock, systemClock, within } from '@hypercode/clock';
import { type Kysely, sql } from 'kysely';
import { DatabaseTime } from './database-time.ts';
import { openPglite } from './pglite.ts';
import { openPostgres } from './postgres.ts';
import { readStoreState } from './queries/read-store-state.ts';
import { readServerVersion } from './queries/read-server-version.ts';
import { writeStoreRecord } from './queries/write-store-record.ts';
import { unavailable } from './refusal.ts';
import { PgliteUpkeep } from './upkeep/pglite-upkeep.ts';

export interface Database {
  /** Each package adds its tables with `$extendTables`. */
  readonly kysely: Kysely<object>;
  readonly dialect: 'postgres' | 'pglite';
  /** The time by the clock of the database, which decides every expiry. */
  readonly time: DatabaseTime;
  /**
   * Reads the clock of the database and whether it takes writes. Rejects with UNAVAILABLE while it is read-only, and with what
   * the driver says while it does not answer.
   */
  read(): Promise<void>;
  /** Proves that the database takes writes. Needs the tables of `storesSchema`. */
  write(): Promise<void>;
  /** Such as `17.2`. */
  version(): Promise<string>;
  /** Ends when the database has answered a query; rejects when it does not within 5 seconds. */
  ping(): Promise<void>;
  /**
   * Refuses new queries with `DatabaseClosedError`, lets those under way finish, then ends every connection and
   * worker. Safe to call again.
   */
  close(): Promise<void>;
}

interface DatabaseOptions {
  clock?: Clock;
}

export interface PostgresOptions extends DatabaseOptions {
  /** `postgres://` or `postgresql://`. `?schema=NAME` is the schema of all tables and functions. */
  url: string;
  /** Called with each failure of a connection or a query, whatever it means; `isOutage` tells. */
  onFailure?: ((error: Error) => void) | undefined;
  /** Default 10. */
  maxConnections?: number;
  /**
   * How long a statement may take, in milliseconds; default 10,000. A server that is silent for 5 seconds longer
   * than that is given up. 0 is no limit for either: for migrations.
   */
  statementTimeoutMs?: number;
}

export type PgliteOptions = DatabaseOptions & {
  /** Called with failures of the work in the background, which is tried again; default: nothing. */
  onError?: (error: unknown) => void;
} & (
    | {
        /** The folder whose `database` folder holds the files. The caller must hold its lock: two processes ruin them. */
        dataDir: string;
      }
    | {
        /** Nothing is stored: the database is in memory, and begins as a copy of this file (`packDatabase`). */
        image: string;
      }
  );

const PING_TIMEOUT_MS = 5_000;
const READ_ONLY = 'takes no writes: it is read-only (a standby, or default_transaction_read_only is on)';

/**
 * Opens the database. PostgreSQL is connected to by the first query, so that a server that does not answer does not stop the
 * start; PGlite is created if need be, opened and recovered here, and the promise rejects when that fails.
 */
export async function openDatabase(options: PostgresOptions | PgliteOptions): Promise<Database> {
  const { clock = systemClock } = options;
  const { kysely, dialect, close } =
    'url' in options ? openPostgres<object>(options) : await openEmbedded(options, clock);
  const time = new DatabaseTime(clock);
  return {
    kysely,
    dialect,
    close,
    time,
    read: async () => {
      const sentMs = clock.monotonicMs();
      const { epochMs, readOnly } = await readStoreState(kysely);
      time.measured(epochMs, sentMs);
      if (readOnly) throw unavailable(READ_ONLY);
    },
    write: () => writeStoreRecord(kysely),
    version: () => readServerVersion(kysely),
    ping: async () => {
      const work = sql`select 1`.execute(kysely);
      await within(clock, PING_TIMEOUT_MS, { work, timeout: () => new DatabaseTimeoutError() });
    },
  };
}

/** PGlite, with the work that a server does in the background. */
async function openEmbedded(options: PgliteOptions, clock: Clock) {
  const { kysely, dialect, close } = await openPglite<object>(options);
  const upkeep = new PgliteUpkeep({ db: kysely, clock, onError: options.onError ?? (() => {}) });
  let closing: Promise<void> | undefined;
  const closeAll = () => (closing ??= Promise.all([upkeep.close(), close()]).then(() => undefined));
  return { kysely, dialect, close: closeAll };
}

/** The database did not answer in time. */
export class DatabaseTimeoutError extends Error {
  override readonly name = 'DatabaseTimeoutError';
  readonly code = 'ETIMEDOUT';

  constructor() {
    super('the database did not answer in time');
  }
}
