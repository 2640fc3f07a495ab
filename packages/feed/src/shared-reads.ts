// Reads of the same thing at the same time become one.

/**
 * Callers with the same key share a read, but never one that began before they called: while a read is under way, a new
 * caller waits for the next one, together with all others that come meanwhile. A read that fails also fails the callers that
 * wait for the next one.
 */
export class SharedReads<R> {
  /** The newest read of each key that has not ended. */
  readonly #reads = new Map<string, { readonly answer: Promise<R>; hasBegun: boolean }>();

  read(key: string, begin: () => Promise<R>): Promise<R> {
    const last = this.#reads.get(key);
    if (last?.hasBegun === false) return last.answer;
    const start = (): Promise<R> => {
      read.hasBegun = true;
      return begin();
    };
    const answer = (last?.answer ?? Promise.resolve()).then(start);
    const read = { answer, hasBegun: false };
    this.#reads.set(key, read);
    const forget = () => {
      if (this.#reads.get(key) === read) this.#reads.delete(key);
    };
    answer.then(forget, forget);
    return answer;
  }
}
