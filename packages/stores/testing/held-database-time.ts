// The time of a database, which stands still until a test moves it: on PostgreSQL and on PGlite.
import { sql } from 'kysely';
import type { Database } from '../src/database/database.ts';

/**
 * Functions of its own stand before PostgreSQL's `now()` and `clock_timestamp()` in the search path of the sessions that begin
 * while time is held; of PGlite, in its only session. Time begins as it really is. It must be released before other tests use
 * the database.
 */
export class HeldDatabaseTime {
  readonly #database: Database;
  #nowMs: number;

  private constructor(database: Database, nowMs: number) {
    this.#database = database;
    this.#nowMs = nowMs;
  }

  /** `database` is used to move the time, so it stays open as long as time is held. */
  static async hold(database: Database): Promise<HeldDatabaseTime> {
    const run = (statement: string) => sql.raw(statement).execute(database.kysely);
    await run('create schema held');
    await run("create table held.time as select date_trunc('milliseconds', now()) as at");
    for (const name of ['now', 'clock_timestamp']) {
      await run(`create function held.${name}() returns timestamptz language sql stable as 'select at from held.time'`);
    }
    const path = 'search_path = public, held, pg_catalog';
    await run(`do $$ begin execute format('alter database %I set ${path}', current_database()); end $$`);
    await run(`set ${path}`);
    const { rows } = await sql<{ at: Date }>`select at from held.time`.execute(database.kysely);
    const [row] = rows;
    if (row === undefined) throw new Error('the time is not held');
    return new HeldDatabaseTime(database, row.at.getTime());
  }

  /** Milliseconds since the epoch. */
  get nowMs(): number {
    return this.#nowMs;
  }

  async advance(ms: number): Promise<void> {
    this.#nowMs += ms;
    const at = new Date(this.#nowMs).toISOString();
    await sql`update held.time set at = ${at}::timestamptz`.execute(this.#database.kysely);
  }

  async release(): Promise<void> {
    const run = (statement: string) => sql.raw(statement).execute(this.#database.kysely);
    await run("do $$ begin execute format('alter database %I reset search_path', current_database()); end $$");
    await run('reset search_path');
    await run('drop schema held cascade');
  }
}
