// What has to be tidied up now and then: the change log's horizon, tokens and incarnations past their time.
import type { Database } from '@hypercode/stores';
import { type Kysely, sql } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Schema } from '../schema.ts';
import { compactChanges, type Retention } from '../changes/queries/compact-changes.ts';
import { forgetExpired } from './queries/delete-expired.ts';

export interface HousekeepingOptions {
  db: Kysely<Schema>;
  dialect: Database['dialect'];
  retention: Retention;
  clock: Clock;
  onError: (error: unknown) => void;
}

const INTERVAL_MS = 30_000;
/** PGlite has nobody who keeps the planner's statistics, so every so many runs the housekeeping does. */
const RUNS_BETWEEN_ANALYZE = 10;

/** Every replica tidies up; what one has done, the others find done. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  #cancel = (): void => {};
  #running: Promise<void> = Promise.resolve();
  #runs = 0;
  #closed = false;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#schedule();
  }

  /** Tidies up once. */
  run(): Promise<void> {
    const run = this.#running.then(() => this.#tidy());
    this.#running = run.catch(() => undefined);
    return run;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#running;
  }

  #schedule(): void {
    if (this.#closed) return;
    const { clock, onError } = this.#options;
    // Spread, so that replicas that were started together do not tidy up together.
    const delayMs = INTERVAL_MS * (0.75 + clock.random() / 2);
    this.#cancel = clock.schedule(delayMs, async () => {
      await this.run().catch(onError);
      this.#schedule();
    });
  }

  async #tidy(): Promise<void> {
    const { db, dialect, retention } = this.#options;
    await compactChanges(db, retention);
    await forgetExpired(db);
    if (dialect === 'pglite' && this.#runs++ % RUNS_BETWEEN_ANALYZE === 0) {
      await sql`vacuum analyze`.execute(db);
    }
  }
}
