// Token buckets, one for each caller: so many calls a second, with room for a burst.
import { SwarmError } from '@hypercode/contracts';

export interface RateLimitOptions {
  /** Calls a second; 0 turns the limit off. */
  perSecond: number;
  /** Seconds' worth of calls that may come at once after a pause. */
  burstSeconds: number;
  /** Monotonic milliseconds. */
  now: () => number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Callers remembered; the one that has been silent longest is forgotten first, and begins with a full bucket again. */
const MAX_BUCKETS = 100_000;

export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** Takes one call of `caller`'s. Throws RATE_LIMITED with the time until the next is free. */
  take(caller: string): void {
    const { perSecond, burstSeconds, now } = this.#options;
    if (perSecond === 0) return;
    const capacity = Math.max(1, perSecond * burstSeconds);
    const atMs = now();
    const known = this.#buckets.get(caller);
    const filled =
      known === undefined ? capacity : Math.min(capacity, known.tokens + ((atMs - known.atMs) / 1000) * perSecond);
    this.#buckets.delete(caller);
    if (this.#buckets.size >= MAX_BUCKETS) this.#forgetOldest();
    if (filled < 1) {
      this.#buckets.set(caller, { tokens: filled, atMs });
      const retryAfterMs = Math.ceil(((1 - filled) / perSecond) * 1000);
      throw new SwarmError('RATE_LIMITED', `more than ${perSecond} calls a second`, { retryAfterMs });
    }
    this.#buckets.set(caller, { tokens: filled - 1, atMs });
  }

  #forgetOldest(): void {
    for (const caller of this.#buckets.keys()) {
      this.#buckets.delete(caller);
      return;
    }
  }
}
