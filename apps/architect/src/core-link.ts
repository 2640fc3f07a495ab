// Log lines while a core that answers cannot be used, since a store of it does not answer: one with its address, one for each
// further reason, and one when it can be used again, however many callers try meanwhile and however often.
//
//   answering ──a caller is refused with UNAVAILABLE──> away ──each such caller was answered──> answering
import { isUnanswered, type SwarmLogger } from '@hypercode/client';
import { SwarmError } from '@hypercode/contracts';
import type { Logger } from './logger.ts';

/** What asks the core again and again until it is answered. */
export type CoreCaller = 'registration' | 'heartbeat' | 'reading' | 'polling' | 'publishing';

/** Reasons of one time without the core that are logged. */
const LOGGED_REASONS = 8;

export class CoreLink {
  readonly #url: string;
  readonly #logger: Logger;
  readonly #refused = new Set<CoreCaller>();
  readonly #reasons = new Set<string>();

  constructor({ url, logger }: { readonly url: string; readonly logger: Logger }) {
    // Without credentials that it may have.
    this.#url = new URL(url).origin;
    this.#logger = logger;
  }

  /** `what`: the beginning of the line for a refusal that does not mean that the core is away. */
  refused(
    caller: CoreCaller,
    error: SwarmError,
    { what, ...fields }: { what: string } & Record<string, unknown>,
  ): void {
    if (!error.is('UNAVAILABLE')) {
      this.#logger.warn({ ...fields, code: error.code }, `${what}: ${error.message}`);
      return;
    }
    // The client has logged that, and logs when the core answers again.
    if (isUnanswered(error)) return this.#logger.debug({ ...fields, code: error.code }, `${what}: ${error.message}`);
    this.#refused.add(caller);
    const isKnown = this.#reasons.has(error.message) || this.#reasons.size === LOGGED_REASONS;
    if (isKnown) return this.#logger.debug({ ...fields, code: error.code }, `${what}: ${error.message}`);
    this.#reasons.add(error.message);
    this.#logger.warn(
      { url: this.#url },
      `the core at ${this.#url} cannot be used, and is asked until it can: ${error.message}`,
    );
  }

  answered(caller: CoreCaller): void {
    if (!this.#refused.delete(caller) || this.#refused.size > 0) return;
    this.#reasons.clear();
    this.#logger.info({ url: this.#url }, `the core at ${this.#url} answers again`);
  }

  /** For the agent. It does not report that a heartbeat was answered; the next check of the rights does. */
  readonly agentLogger: SwarmLogger = {
    info: (fields, message) => this.#logger.info(fields, message),
    warn: ({ code, phase, ...fields }, message) => {
      const error = code === 'UNAVAILABLE' ? new SwarmError('UNAVAILABLE', message) : null;
      if (error === null) this.#logger.warn({ ...fields, code, phase }, message);
      else
        this.refused(phase === 'registering' ? 'registration' : 'heartbeat', error, { what: 'the agent', ...fields });
    },
  };
}
