// A check of something that changes outside this process: repeated, and run when a change is likely.
import { type Clock, repeat } from '@hypercode/clock';

export interface RecheckOptions {
  clock: Pick<Clock, 'schedule'>;
  /** From the end of a check to the next one that was not asked for, in milliseconds. */
  intervalMs: number;
  check: () => Promise<void>;
  /** Called when a check fails; the next one runs all the same. */
  onError: (error: unknown) => void;
}

/**
 * At most one check runs and at most one waits for it to end, however many are asked for and however long a check takes.
 * A check that was asked for begins after it was asked for, so it sees what was true then.
 */
export class Recheck {
  readonly #options: RecheckOptions;
  readonly #endRepetition: () => void;
  /** The check that was asked for last. */
  #last: Promise<void> = Promise.resolve();
  #isWaiting = false;
  #closed = false;

  constructor(options: RecheckOptions) {
    this.#options = options;
    this.#endRepetition = repeat(options.clock, options.intervalMs, () => this.now());
  }

  /** Checks after the check that runs now. Resolves when that is done, also when it failed. */
  now(): Promise<void> {
    if (this.#isWaiting) return this.#last;
    this.#isWaiting = true;
    this.#last = this.#last
      .then(() => {
        this.#isWaiting = false;
        return this.#closed ? undefined : this.#options.check();
      })
      .catch(this.#options.onError);
    return this.#last;
  }

  /** Resolves when the check that runs now has ended. No other begins. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#endRepetition();
    await this.#last;
  }
}
