// The time by the database's clock, so that every replica decides by the same one.
import type { Clock } from '@hypercode/clock';

/**
 * What the database's clock showed when it was last read, and the monotonic time since. So neither a core whose clock is wrong
 * nor one whose clock is set while it runs moves an expiry. Before the first reading it is the core's own time.
 */
export class DatabaseTime {
  readonly #clock: Pick<Clock, 'epochMs' | 'monotonicMs'>;
  /** Epoch time less monotonic time, and how far that may be wrong. */
  #offset: { readonly ms: number; readonly errorMs: number } | null = null;

  constructor(clock: Pick<Clock, 'epochMs' | 'monotonicMs'>) {
    this.#clock = clock;
  }

  epochMs(): number {
    return this.#offset === null ? this.#clock.epochMs() : Math.round(this.#clock.monotonicMs() + this.#offset.ms);
  }

  /**
   * The database's clock showed `epochMs` between the query, sent at `sentMs` (monotonic), and now. A reading that took longer
   * than the one in force replaces it only when the two contradict each other: then one of the clocks was set, or drifts.
   */
  measured(epochMs: number, sentMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    const errorMs = (nowMs - sentMs) / 2;
    const ms = epochMs - (sentMs + nowMs) / 2;
    const held = this.#offset;
    if (held === null || errorMs <= held.errorMs || Math.abs(ms - held.ms) > errorMs + held.errorMs) {
      this.#offset = { ms, errorMs };
    }
  }
}
