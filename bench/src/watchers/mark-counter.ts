// Counts how often a mark occurs in a stream of bytes, also where it is cut in two.

export class MarkCounter {
  count = 0;
  readonly #mark: Buffer;
  /** The last bytes, one fewer than the mark has, in which it may have begun. */
  #tail: Buffer = Buffer.alloc(0);

  constructor(mark: string) {
    this.#mark = Buffer.from(mark);
  }

  /** Keeps no reference to `chunk`. */
  read(chunk: Buffer): void {
    const overlap = this.#mark.length - 1;
    if (this.#tail.length > 0) {
      this.#countIn(Buffer.concat([this.#tail, chunk.subarray(0, overlap)]));
    }
    this.#countIn(chunk);
    const kept = chunk.length >= overlap ? chunk : Buffer.concat([this.#tail, chunk]);
    this.#tail = Buffer.from(kept.subarray(Math.max(0, kept.length - overlap)));
  }

  #countIn(bytes: Buffer): void {
    for (let at = bytes.indexOf(this.#mark); at !== -1; at = bytes.indexOf(this.#mark, at + this.#mark.length)) {
      this.count += 1;
    }
  }
}
