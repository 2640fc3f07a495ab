// Time that stands still until a test moves it: in the database, and in every replica that runs by one of its clocks.
import type { Database } from '@hypercode/stores';
import { sql } from 'kysely';
import { type Clock, systemClock } from '../src/clock.ts';
import type { Store } from './swarm.ts';

interface Timer {
  readonly clock: HeldClock;
  readonly at: number;
  readonly run: () => void | Promise<void>;
}

/**
 * Functions of its own stand before those of PostgreSQL in the search path of sessions that begin while it is held. To be
 * released before anybody else uses the store.
 */
export class HeldTime {
  readonly #database: Database;
  readonly #close: () => Promise<void>;
  readonly #timers = new Set<Timer>();
  #now = Date.now();

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

  /** A clock for one process. */
  clock(): HeldClock {
    return new HeldClock(this);
  }

  /** Moves on, and runs what is due on the way, one after the other, each to its end. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const due = this.#nextBefore(until);
      if (due === null) break;
      this.#timers.delete(due);
      await this.#moveTo(Math.max(this.#now, due.at));
      await due.run();
    }
    await this.#moveTo(until);
  }

  schedule(timer: Timer): () => void {
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  #nextBefore(until: number): Timer | null {
    let next: Timer | null = null;
    for (const timer of this.#timers) {
      if (timer.at <= until && !timer.clock.stopped && (next === null || timer.at < next.at)) next = timer;
    }
    return next;
  }

  async #moveTo(at: number): Promise<void> {
    this.#now = at;
    await sql`update held.time set at = ${new Date(at).toISOString()}::timestamptz`.execute(this.#database.kysely);
  }

  async #execute(statement: string): Promise<void> {
    await sql.raw(statement).execute(this.#database.kysely);
  }
}

/** The clock of one process. */
export class HeldClock implements Clock {
  /** Whether the process is stopped: what is due waits until it goes on. */
  stopped = false;
  readonly #time: HeldTime;

  constructor(time: HeldTime) {
    this.#time = time;
  }

  now(): number {
    return this.#time.now;
  }

  monotonicNow(): number {
    return this.#time.now;
  }

  newId(): string {
    return systemClock.newId();
  }

  random(): number {
    return systemClock.random();
  }

  schedule(delayMs: number, run: () => void | Promise<void>): () => void {
    return this.#time.schedule({ clock: this, at: this.#time.now + Math.round(delayMs), run });
  }
}
