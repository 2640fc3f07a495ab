// Applies retention now and then: the change log's horizon, and the age of tokens, incarnations and undelivered changes.
import type { Clock } from '@hypercode/clock';
import type { Kysely } from 'kysely';
import { type ChangeRetention, compactChanges } from '../changes/queries/compact-changes.ts';
import type { Schema } from '../schema.ts';
import { deleteExpired } from './queries/delete-expired.ts';

export interface RetentionOptions {
  db: Kysely<Schema>;
  changes: ChangeRetention;
  clock: Clock;
  onError: (error: unknown) => void;
}

const INTERVAL_MS = 30_000;

/** Every replica applies retention; rows that one has deleted, the others do not find. */
export class Retention {
  readonly #options: RetentionOptions;
  #cancel = (): void => {};
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#schedule();
  }

  /** Applies it now. Rejects when the store does not answer. */
  apply(): Promise<void> {
    const run = this.#running.then(() => this.#run());
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
    // Spread, so that replicas that were started together do not run together.
    const delayMs = INTERVAL_MS * (0.75 + clock.random() / 2);
    this.#cancel = clock.schedule(delayMs, async () => {
      await this.apply().catch(onError);
      this.#schedule();
    });
  }

  async #run(): Promise<void> {
    const { db, changes } = this.#options;
    await compactChanges(db, changes);
    await deleteExpired(db);
  }
}
