// The room that events take in the client until they are settled: so many, so many bytes, and no more.

import type { PublishBuffer } from '../transport/client-options.ts';

export class PublishRoom {
  readonly whenFull: 'wait' | 'reject';
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  #events = 0;
  #bytes = 0;

  constructor({ maxEvents = 10_000, maxBytes = 64 * 1024 * 1024, whenFull = 'wait' }: PublishBuffer) {
    this.whenFull = whenFull;
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
  }

  /** Takes room for an event, if there is enough. Where there is nothing else, any event has room. */
  take(bytes: number): boolean {
    const fits = this.#events < this.#maxEvents && this.#bytes + bytes <= this.#maxBytes;
    if (!fits && this.#events > 0) return false;
    this.#events += 1;
    this.#bytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#events -= 1;
    this.#bytes -= bytes;
  }
}
