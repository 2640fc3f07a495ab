// A line about refusals without a valid token, once a second at most: each costs its sender nothing.
import type { Clock } from '@hypercode/clock';

/** Time between two lines, in milliseconds. */
const INTERVAL_MS = 1000;

export class RefusalLog {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #log: { warn(fields: object, message: string): void };
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  #refused = 0;

  constructor(clock: Pick<Clock, 'monotonicMs'>, log: { warn(fields: object, message: string): void }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Counts a refusal. The next line has the number since the last, and the address of the newest. */
  note(address: string | undefined): void {
    this.#refused += 1;
    const now = this.#clock.monotonicMs();
    if (now - this.#writtenAtMs < INTERVAL_MS) return;
    this.#log.warn({ refused: this.#refused, address }, 'callers without a valid token were refused');
    this.#writtenAtMs = now;
    this.#refused = 0;
  }
}
