// A limit of concurrent work: so many at once, the others one after another.

/** Turns for at most `limit` at a time; waiting callers get theirs in order. */
export class Turns {
  readonly #waiting = new Set<() => void>();
  readonly #limit: number;
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether no turn is taken, and so no caller waits for one. */
  get idle(): boolean {
    return this.#taken === 0;
  }

  /** Waits for a turn, to be given back; rejects with the signal's reason, and then there is nothing to give back. */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#taken < this.#limit) {
      this.#taken += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(enter);
        reject(signal.reason as Error);
      };
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      this.#waiting.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  give(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
