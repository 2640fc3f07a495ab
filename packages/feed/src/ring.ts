// The recent end of a log, in memory: bounded by entries and bytes, read by any number of cursors.

export interface Entry<P> {
  readonly position: P;
}

export interface RingLimits {
  /** The most entries that the ring holds. */
  maxEntries: number;
  /** The most bytes that the ring holds, as the sum of the `bytes` that `append` receives. */
  maxBytes: number;
}

/**
 * Holds the entries after `start`, up to and including `end`, without a hole. A cursor is only a position: a cursor at or after
 * `start` can be served from the ring, one before it has to read the log.
 */
export class Ring<P, E extends Entry<P>> {
  #entries: E[] = [];
  #sizes: number[] = [];
  /** Entries before this index are evicted and only wait for the array to be cut. */
  #first = 0;
  /** How many entries were cut off the array. */
  #cut = 0;
  #bytes = 0;
  #start: P;
  readonly #compare: (a: P, b: P) => number;
  readonly #limits: RingLimits;

  constructor(start: P, compare: (a: P, b: P) => number, limits: RingLimits) {
    this.#start = start;
    this.#compare = compare;
    this.#limits = limits;
  }

  /** The position after which the ring is complete. */
  get start(): P {
    return this.#start;
  }

  /** The position of the newest entry, or `start` when there is none. */
  get end(): P {
    return this.#entries.at(-1)?.position ?? this.#start;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.length - this.#first;
  }

  /** Adds the entry that follows `end`, and evicts the oldest entries beyond a limit. The newest entry always stays. */
  append(entry: E, bytes: number): void {
    this.#entries.push(entry);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    while (this.size > this.#limits.maxEntries || (this.#bytes > this.#limits.maxBytes && this.size > 1)) this.#evict();
  }

  /** Whether the ring holds every entry after `position`. True for a position after `end`: no entry after it exists yet. */
  reaches(position: P): boolean {
    return this.#compare(position, this.#start) >= 0;
  }

  /**
   * At most `limit` entries after `position`, oldest first; the entry that reaches `maxBytes` is the last. Only for a position
   * that the ring `reaches`.
   */
  after(position: P, limit: number, maxBytes = Infinity): E[] {
    const from = this.#indexAfter(position);
    const end = Math.min(from + limit, this.#entries.length);
    let to = from;
    for (let bytes = 0; to < end && bytes < maxBytes; to += 1) bytes += this.#sizes[to] ?? 0;
    return this.#entries.slice(from, to);
  }

  /** The number of entries ever appended, up to and including `position`. Only for a position that the ring `reaches`. */
  countThrough(position: P): number {
    return this.#cut + this.#indexAfter(position);
  }

  /** Evicts every entry up to and including `position`. */
  evictThrough(position: P): void {
    for (let first = this.#entries[this.#first]; first !== undefined; first = this.#entries[this.#first]) {
      if (this.#compare(first.position, position) > 0) break;
      this.#evict();
    }
  }

  #evict(): void {
    const evicted = this.#entries[this.#first];
    if (evicted === undefined) return;
    this.#start = evicted.position;
    this.#bytes -= this.#sizes[this.#first] ?? 0;
    this.#first += 1;
    // Cutting the array costs its length, so it is done once for many evictions.
    if (this.#first * 2 > this.#entries.length) {
      this.#cut += this.#first;
      this.#entries = this.#entries.slice(this.#first);
      this.#sizes = this.#sizes.slice(this.#first);
      this.#first = 0;
    }
  }

  #indexAfter(position: P): number {
    let low = this.#first;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && this.#compare(entry.position, position) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
