// Token buckets, one for each caller: so much a second, with room for a burst. Limits registrations here, and events and their
// bytes on the bus.
import type { Clock } from '@hypercode/clock';
import { SwarmError } from '@hypercode/contracts';

export interface RateLimitOptions {
  /** 0 turns the limit off. */
  perSecond: number;
  /** Seconds' worth that may come at once after a pause. */
  burstSeconds: number;
  /** How the refusal names the limit: `more than …`. */
  words: string;
  clock: Pick<Clock, 'monotonicMs'>;
}

/** Callers remembered. The one whose last call is longest ago is forgotten first, and its next call finds a full bucket. */
const MAX_CALLERS = 100_000;
/** Sums of fractions of milliseconds are not exact. */
const TOLERANCE_MS = 1e-3;

/**
 * A token bucket in the form of the generic cell rate algorithm (ITU-T I.371): of each caller one number is kept, the
 * time at which its bucket will be full again.
 */
export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #fullAtMs = new Map<string, number>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /**
   * Counts `amount` of `caller`, at most as much as a burst may have. Throws RATE_LIMITED, which names the limit, with the time
   * until there is room for as much.
   */
  take(caller: string, amount = 1): void {
    const { perSecond, burstSeconds, words, clock } = this.#options;
    if (perSecond === 0) return;
    const atMs = clock.monotonicMs();
    const fullAtMs = Math.max(this.#fullAtMs.get(caller) ?? atMs, atMs) + (amount * 1000) / perSecond;
    const excessMs = fullAtMs - atMs - burstSeconds * 1000;
    if (excessMs > TOLERANCE_MS) {
      const retryAfterMs = Math.ceil(excessMs - TOLERANCE_MS);
      throw new SwarmError('RATE_LIMITED', `more than ${words}`, { retryAfterMs });
    }
    // Deleted first, so that the map's order is that of the callers' last calls.
    this.#fullAtMs.delete(caller);
    if (this.#fullAtMs.size >= MAX_CALLERS) this.#forgetOldest();
    this.#fullAtMs.set(caller, fullAtMs);
  }

  /** Takes back what was counted of `caller`. */
  giveBack(caller: string, amount = 1): void {
    const fullAtMs = this.#fullAtMs.get(caller);
    if (fullAtMs !== undefined) this.#fullAtMs.set(caller, fullAtMs - (amount * 1000) / this.#options.perSecond);
  }

  #forgetOldest(): void {
    for (const caller of this.#fullAtMs.keys()) {
      this.#fullAtMs.delete(caller);
      return;
    }
  }
}
