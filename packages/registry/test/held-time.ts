// Time that stands still until a test moves it: in the database, and in every replica that runs by one of its clocks.
import { systemClock } from '@hypercode/clock';
import { HeldClock } from '@hypercode/clock/testing';
import type { Database } from '@hypercode/stores';
import { sql } from 'kysely';
import type { Store } from './swarm.ts';

/**
 * Functions of its own stand before those of PostgreSQL in the search path of sessions that begin while it is held. To be
 * released before other tests use the store.
 */
export class HeldTime {
  readonly #database: Database;
  readonly #close: () => Promise<void>;
  readonly #clocks: HeldClock[] = [];
  #now = systemClock.epochMs();

  private constructor(database: Database, close: () => Promise<void>) {
    this.#database = database;
    this.#close = close;
  }

  static async hold(store: Store): Promise<HeldTime> {
    const { database, close } = await store.connect();
    const time = new HeldTime(database, close);
    await time.#execute('create schema held');
    await time.#execute('create table held.time (at timestamptz not null)');
    await time.#execute('insert into held.time values (now())');
    for (const name of ['now', 'clock_timestamp']) {
      await time.#execute(`create function held.${name}() returns timestamptz language sql stable
        as 'select at from held.time'`);
    }
    const path = 'search_path = public, held, pg_catalog';
    await time.#execute(`do $$ begin execute format('alter database %I set ${path}', current_database()); end $$`);
    // PGlite has no other session than this one.
    await time.#execute(`set ${path}`);
    await time.#moveTo(time.#now);
    return time;
  }

  async release(): Promise<void> {
    await this.#execute(
      `do $$ begin execute format('alter database %I reset search_path', current_database()); end $$`,
    );
    await this.#execute('reset search_path');
    await this.#execute('drop schema held cascade');
    await this.#close();
  }

  /** Milliseconds since the epoch. */
  get now(): number {
    return this.#now;
  }

  /** A clock for one process, which has the time of the database; a process that is `stopped` misses what falls due. */
  clock(): HeldClock {
    const clock = new HeldClock();
    clock.jump(this.#now - clock.epochMs());
    this.#clocks.push(clock);
    return clock;
  }

  /** Moves on, and runs what falls due on the way, one after the other, each to its end. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const nextInMs = Math.min(...this.#clocks.filter(({ stopped }) => !stopped).map((clock) => clock.nextInMs));
      if (this.#now + nextInMs > end) break;
      await this.#moveTo(this.#now + Math.max(0, nextInMs));
      for (const clock of this.#clocks) await clock.advanceThrough(0);
    }
    await this.#moveTo(end);
  }

  /** Moves the database and all clocks to one moment, before anything runs that falls due there. */
  async #moveTo(at: number): Promise<void> {
    const byMs = at - this.#now;
    this.#now = at;
    await sql`update held.time set at = ${new Date(at).toISOString()}::timestamptz`.execute(this.#database.kysely);
    for (const clock of this.#clocks) {
      const { stopped } = clock;
      clock.stopped = true;
      clock.advance(byMs);
      clock.stopped = stopped;
    }
  }

  async #execute(statement: string): Promise<void> {
    await sql.raw(statement).execute(this.#database.kysely);
  }
}
