// Whether a core answers, as the log has it: once when what is retried gets no answer, and once when there is one again.
import type { Clock } from '@hypercode/clock';
import type { SwarmError } from '@hypercode/contracts';
import type { SwarmLogger } from './logger.ts';
import { isUnanswered } from './refusal.ts';

export class Reachability {
  readonly #address: string;
  readonly #clock: Clock;
  readonly #logger: SwarmLogger;
  /** On the clock; undefined while the core answers. */
  #lostAt: number | undefined;

  constructor(address: string, clock: Clock, logger: SwarmLogger) {
    this.#address = address;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Notes what a try that will be repeated has ended in. */
  failed(error: SwarmError): void {
    if (this.#lostAt !== undefined || !isUnanswered(error)) return;
    this.#lostAt = this.#clock.monotonicMs();
    this.#logger.warn({ url: this.#address }, `${error.message}; the client will retry`);
  }

  /** A warning, as the loss is: a reader of the log that shows the one shows the other. */
  answered(): void {
    if (this.#lostAt === undefined) return;
    const afterMs = Math.round(this.#clock.monotonicMs() - this.#lostAt);
    this.#lostAt = undefined;
    this.#logger.warn({ url: this.#address, afterMs }, `the core at ${this.#address} answers again`);
  }
}
