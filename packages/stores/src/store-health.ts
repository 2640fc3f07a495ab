// Whether a store can be read and written, for readiness and for the log.
import { type Clock, repeat, within } from '@hypercode/clock';
import type { StoreOutage } from './store-outage.ts';

/** How often the store is read by itself, and how seldom it is written, in milliseconds. */
const CHECK_INTERVAL_MS = 5_000;
/** For a read and a write, in milliseconds. */
const CHECK_TIMEOUT_MS = 1_900;

export interface StoreHealthOptions {
  readonly outage: StoreOutage;
  readonly clock: Clock;
  /** Rejects when the store does not answer or takes no writes. Resolves with a warning, or null. Writes nothing. */
  readonly read: () => Promise<string | null>;
  /** Writes one value. Rejects when the store does not take it. */
  readonly write: () => Promise<void>;
}

/**
 * A store is healthy when the last read and the last write succeeded, and no call has failed since that write.
 *
 * Reads follow every question; writes are at least 5 s apart, however many ask. So a store that failed is healthy again at the
 * next write that succeeds. The store is also read every 5 s by itself: an outage is noticed while nobody calls, and its end.
 */
export class StoreHealth {
  readonly #options: StoreHealthOptions;
  readonly #endChecks: () => void;
  #writtenMs = -Infinity;
  /** Of the last write, or of a call since. */
  #fault: Error | null = null;
  #failures = 0;
  #checking: Promise<string | null> | null = null;
  #closed = false;

  constructor(options: StoreHealthOptions) {
    this.#options = options;
    this.#endChecks = repeat(options.clock, CHECK_INTERVAL_MS, async () => {
      await this.#ask({ mayWrite: this.#fault !== null }).catch(() => undefined);
    });
  }

  /** Why the store is not healthy; null while it is. */
  get fault(): Error | null {
    return this.#fault;
  }

  /** A call has failed because the store was not available. */
  failed(error: Error): void {
    if (this.#closed) return;
    this.#failures += 1;
    this.#fault = error;
    this.#options.outage.failed(error);
  }

  /** Rejects with the reason while the store is not healthy. Resolves with a warning, or null. */
  check(): Promise<string | null> {
    return this.#ask({ mayWrite: true });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#endChecks();
    this.#options.outage.close();
    await this.#checking?.catch(() => undefined);
  }

  /** One at a time: what is asked meanwhile gets the same answer. */
  #ask(how: { mayWrite: boolean }): Promise<string | null> {
    this.#checking ??= this.#check(how).finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  async #check({ mayWrite }: { mayWrite: boolean }): Promise<string | null> {
    const { clock, outage } = this.#options;
    const failures = this.#failures;
    let warning: string | null;
    try {
      const timeout = () => new Error('no answer in time');
      warning = await within(clock, CHECK_TIMEOUT_MS, { work: this.#readAndWrite(mayWrite), timeout });
    } catch (error) {
      // A call that the check made may have reported it already, with the reason.
      if (this.#failures === failures) this.failed(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
    if (this.#fault !== null) throw this.#fault;
    outage.recovered();
    return warning;
  }

  async #readAndWrite(mayWrite: boolean): Promise<string | null> {
    const { clock, read, write } = this.#options;
    const failures = this.#failures;
    const warning = await read();
    if (!mayWrite || clock.monotonicMs() - this.#writtenMs < CHECK_INTERVAL_MS) return warning;
    this.#writtenMs = clock.monotonicMs();
    await write();
    if (this.#failures === failures) this.#fault = null;
    return warning;
  }
}
