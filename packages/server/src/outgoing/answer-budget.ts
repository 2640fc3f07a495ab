// The bytes of answers that one connection, or one batch, may have waiting to be sent.

/** Of JSON. */
export const MAX_UNSENT_BYTES = 8 * 1024 * 1024;

export interface AnswerBudgetOptions {
  /** Bytes that were made and are not sent. */
  readonly unsent: () => number;
  readonly maxBytes?: number;
  /** Most calls that are worked on at a time. */
  readonly maxCalls: number;
  /** Called when a call has to wait, and when none waits any more. */
  readonly onWaiting?: (isWaiting: boolean) => void;
}

/**
 * Works calls off in their order. One begins when the answers that are being made, at their largest, and what is unsent leave room
 * for its own; or when nothing else is being made and less than the limit is unsent, however large its answer may be.
 */
export class AnswerBudget {
  readonly #options: AnswerBudgetOptions;
  readonly #maxBytes: number;
  readonly #waiting: { readonly bytes: number; readonly begin: (mayBegin: boolean) => void }[] = [];
  #reserved = 0;
  #calls = 0;

  constructor(options: AnswerBudgetOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? MAX_UNSENT_BYTES;
  }

  /** Whether nothing is being made, and nothing may be until something is sent. */
  get isSpent(): boolean {
    return this.#calls === 0 && this.#options.unsent() >= this.#maxBytes;
  }

  /** Takes a turn for an answer of at most `bytes`; then call `end`. False, without a turn: `abandon` was called meanwhile. */
  begin(bytes: number): boolean | Promise<boolean> {
    if (this.#waiting.length === 0 && this.#hasRoom(bytes)) {
      this.#take(bytes);
      return true;
    }
    if (this.#waiting.length === 0) this.#options.onWaiting?.(true);
    return new Promise((begin) => this.#waiting.push({ bytes, begin }));
  }

  /** Ends a turn that was taken for `bytes`. */
  end(bytes: number): void {
    this.#reserved -= bytes;
    this.#calls -= 1;
    this.proceed();
  }

  /** Begins what there is room for. Call it when something was sent. */
  proceed(): void {
    for (let [next] = this.#waiting; next !== undefined && this.#hasRoom(next.bytes); [next] = this.#waiting) {
      this.#waiting.shift();
      this.#take(next.bytes);
      next.begin(true);
      if (this.#waiting.length === 0) this.#options.onWaiting?.(false);
    }
  }

  /** Refuses everything that waits. */
  abandon(): void {
    for (const { begin } of this.#waiting.splice(0)) begin(false);
  }

  #hasRoom(bytes: number): boolean {
    if (this.#calls >= this.#options.maxCalls) return false;
    const used = this.#options.unsent() + this.#reserved;
    return used + bytes <= this.#maxBytes || (this.#calls === 0 && used < this.#maxBytes);
  }

  #take(bytes: number): void {
    this.#reserved += bytes;
    this.#calls += 1;
  }
}
