// Notes about a core that stops answering while a command goes on: one when it stops, and one when it answers again.
// A command does not wait for a core that has never answered.
import { SwarmError } from '@hypercode/client';
import { type Clock, sleep } from '@hypercode/clock';
import type { Line } from '../output/parts.ts';
import { interrupted } from '../program/exit-codes.ts';

const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 5_000;

export interface OutageOptions {
  readonly clock: Clock;
  /** Ends the command. */
  readonly signal: AbortSignal;
  readonly note: (line: Line) => void;
}

/**
 *   not yet answered ──answered()──> answering <──lost(), answered()──> out
 *                    ──lost()──> failed: `signal` is aborted, and `failure` says why
 */
export class Outage {
  /** Aborted when the command is ended, and when the core has never answered. */
  readonly signal: AbortSignal;
  readonly #clock: Clock;
  readonly #note: (line: Line) => void;
  readonly #failed = new AbortController();
  #failure: SwarmError | null = null;
  #hasAnswered = false;
  #isOut = false;

  constructor({ clock, signal, note }: OutageOptions) {
    this.#clock = clock;
    this.#note = note;
    this.signal = AbortSignal.any([signal, this.#failed.signal]);
  }

  /** A stream was lost, and will be resumed. Fits `onInterruption`. */
  readonly lost = (error: SwarmError): void => {
    if (!this.#hasAnswered) {
      this.#failure = error;
      this.#failed.abort();
    } else if (!this.#isOut) {
      this.#isOut = true;
      this.#note(`${error.message}; waiting for the core, Ctrl-C ends`);
    }
  };

  /** The core has answered. `where` says where the command goes on. */
  answered(where = ''): void {
    this.#hasAnswered = true;
    if (!this.#isOut) return;
    this.#isOut = false;
    this.#note(`the core answers again${where === '' ? '' : `; ${where}`}`);
  }

  /** Throws why the core has never answered, if it has not. */
  check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** Repeats a call that changes nothing while the core does not answer. */
  async call<T>(call: () => Promise<T>): Promise<T> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
      try {
        const value = await call();
        this.answered();
        return value;
      } catch (error) {
        await this.wait(error, waitMs);
      }
    }
  }

  /** Waits before the next try. Throws the refusal when none can help. */
  async wait(thrown: unknown, waitMs: number): Promise<void> {
    if (this.signal.aborted) throw this.#failure ?? interrupted();
    const error = SwarmError.from(thrown);
    if (!error.retryable || !this.#hasAnswered) throw error;
    // A limit of rates is not an outage.
    if (!error.is('RATE_LIMITED')) this.lost(error);
    await this.pause(error.retryAfterMs ?? waitMs);
  }

  /** Throws when the command is ended meanwhile. */
  async pause(ms: number): Promise<void> {
    await sleep(this.#clock, ms, this.signal);
    if (this.signal.aborted) throw interrupted();
  }
}
