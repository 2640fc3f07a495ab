// A session of a browser, as this replica knows it.
import type { SwarmError } from '@hypercode/contracts';

export interface SessionFacts {
  /** Hash of the key, in hexadecimal. */
  readonly key: string;
  /** Hash of the cookie, in hexadecimal. */
  readonly cookie: string;
  /** Hash of the token whose rights the session has, in hexadecimal. */
  readonly tokenHash: string;
  readonly expiresAtMs: number;
}

/** In force until `end`, which happens once. Its streams listen, to end with it. */
export class Session implements SessionFacts {
  readonly key: string;
  readonly cookie: string;
  readonly tokenHash: string;
  readonly expiresAtMs: number;
  readonly #listeners = new Set<(refusal: SwarmError) => void>();
  #refusal: SwarmError | null = null;

  constructor({ key, cookie, tokenHash, expiresAtMs }: SessionFacts) {
    this.key = key;
    this.cookie = cookie;
    this.tokenHash = tokenHash;
    this.expiresAtMs = expiresAtMs;
  }

  /** Why the session does not count any more; null while it does. */
  get refusal(): SwarmError | null {
    return this.#refusal;
  }

  get watched(): boolean {
    return this.#listeners.size > 0;
  }

  /** Calls `listener` once, when the session ends. Returns what takes it back. */
  onEnd(listener: (refusal: SwarmError) => void): () => void {
    if (this.#refusal !== null) listener(this.#refusal);
    else this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  end(refusal: SwarmError): void {
    this.#refusal ??= refusal;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener(this.#refusal);
  }
}
