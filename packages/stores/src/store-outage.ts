// What is reported of a store that is away: that it is, why, and that it is back; not more often than a reader can follow.
import type { Clock } from '@hypercode/clock';

/** Gets what is to be known of one store. Each is meant for one line of a log. */
export interface OutageReporter {
  /** The store has become unavailable, or is unavailable for another reason than before. */
  unavailable(store: string, error: Error): void;
  /** The store has been available again for a while. */
  available(store: string, unavailableMs: number): void;
}

/** How long a store must be back before that is reported, in milliseconds; doubled for each outage that follows soon. */
const FIRST_HOLD_MS = 1_000;
const LAST_HOLD_MS = 60_000;
/** Another reason of the same outage is reported at most this often, in milliseconds, and each once. */
const REASON_GAP_MS = 10_000;
const MAX_REASONS = 5;

/**
 * One store as the log has it:
 *
 * - available: a failure → unavailable, reported with its reason.
 * - unavailable: a failure for a new reason is reported after some time. Recovered → returning.
 * - returning: a failure → unavailable, which is not reported again. Held for long enough → available, reported.
 */
export class StoreOutage {
  readonly #store: string;
  readonly #clock: Clock;
  readonly #reporter: OutageReporter;
  /** Null while the store is available. */
  #outage: { readonly sinceMs: number; readonly reasons: Set<string>; reportedMs: number } | null = null;
  #cancelReturn: (() => void) | null = null;
  #endedMs = -Infinity;
  #holdMs = FIRST_HOLD_MS;

  /** `store` is what the operator calls it, such as `PostgreSQL (DATABASE_URL)`. */
  constructor(store: string, options: { clock: Clock; reporter: OutageReporter }) {
    this.#store = store;
    this.#clock = options.clock;
    this.#reporter = options.reporter;
  }

  /** Whether the store is unavailable, or has returned only just now. */
  get isUnavailable(): boolean {
    return this.#outage !== null;
  }

  failed(error: Error): void {
    const now = this.#clock.monotonicMs();
    this.#cancelReturn?.();
    this.#cancelReturn = null;
    if (this.#outage === null) {
      const isSoon = now - this.#endedMs < LAST_HOLD_MS;
      this.#holdMs = isSoon ? Math.min(2 * this.#holdMs, LAST_HOLD_MS) : FIRST_HOLD_MS;
      this.#outage = { sinceMs: now, reasons: new Set(), reportedMs: -Infinity };
    }
    const { reasons, reportedMs } = this.#outage;
    const isNew = reasons.size < MAX_REASONS && !reasons.has(error.message);
    if (!isNew || now - reportedMs < REASON_GAP_MS) return;
    reasons.add(error.message);
    this.#outage.reportedMs = now;
    this.#reporter.unavailable(this.#store, error);
  }

  recovered(): void {
    const outage = this.#outage;
    if (outage === null || this.#cancelReturn !== null) return;
    const recoveredMs = this.#clock.monotonicMs();
    this.#cancelReturn = this.#clock.schedule(this.#holdMs, () => {
      this.#cancelReturn = null;
      this.#outage = null;
      this.#endedMs = this.#clock.monotonicMs();
      this.#reporter.available(this.#store, Math.round(recoveredMs - outage.sinceMs));
    });
  }

  close(): void {
    this.#cancelReturn?.();
    this.#cancelReturn = null;
  }
}
