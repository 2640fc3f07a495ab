// Follows an append-only log: one reader, a ring of the recent entries, and a notification to every listener.
import { type Entry, Ring, type RingLimits } from './ring.ts';

/** The log that a feed follows. */
export interface Log<P, E extends Entry<P>> {
  /**
   * At most `limit` entries after `position`, in order, without a hole. Null when the log does not know the entries after
   * `position`: they were removed, or the log has never reached that position.
   */
  read(position: P, limit: number): Promise<E[] | null>;
  /** The position from which to follow the log, as far back as is worth keeping in memory. */
  begin(): Promise<P>;
  compare(a: P, b: P): number;
  /** About how many bytes the entry takes in memory. */
  sizeOf(entry: E): number;
}

export interface FeedOptions {
  limits: RingLimits;
  /** The most entries in one read. */
  readLimit: number;
  /** A page of at least so many bytes may have been cut short for its size, so another read follows it. Default: none is cut. */
  readBytes?: number;
  /** Called when reading the log fails; the feed tries again at the next wake-up. */
  onError: (error: unknown) => void;
}

/**
 * States of a feed:
 * - following: everything up to `end` is known; a wake-up starts a read.
 * - reading: one read is under way; wake-ups meanwhile lead to exactly one more.
 * - closed: nothing is read any more, and every listener has been notified.
 *
 * A wake-up is a hint. The owner of the feed also wakes it from time to time, so that a lost wake-up only costs time.
 */
export class Feed<P, E extends Entry<P>> {
  #ring: Ring<P, E>;
  readonly #log: Log<P, E>;
  readonly #options: FeedOptions;
  readonly #listeners = new Set<(entries: readonly E[] | null) => void>();
  #reading: Promise<void> | null = null;
  #wokenMeanwhile = false;
  #closed = false;

  private constructor(log: Log<P, E>, start: P, options: FeedOptions) {
    this.#log = log;
    this.#options = options;
    this.#ring = new Ring(start, (a, b) => log.compare(a, b), options.limits);
  }

  /** Begins to follow `log`. Fails when the log cannot be read. */
  static async follow<P, E extends Entry<P>>(log: Log<P, E>, options: FeedOptions): Promise<Feed<P, E>> {
    const feed = new Feed(log, await log.begin(), options);
    await feed.#readAll();
    return feed;
  }

  /** The recent end of the log. Replaced by a new ring when the log could not be followed without a hole. */
  get ring(): Ring<P, E> {
    return this.#ring;
  }

  /** The newest position that the feed has read. */
  get end(): P {
    return this.#ring.end;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Calls `listener` with every group of new entries as they arrive, and with null when entries may have been missed:
   * the feed restarted with a new ring, or it was closed. Returns the function that removes the listener.
   */
  onEntries(listener: (entries: readonly E[] | null) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when the feed receives entries, restarts or is closed, or when `signal` aborts. */
  moved(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || this.#closed) return resolve();
      const settle = () => {
        signal.removeEventListener('abort', settle);
        end();
        resolve();
      };
      const end = this.onEntries(settle);
      signal.addEventListener('abort', settle);
    });
  }

  /** Negative when `a` comes before `b`. */
  compare(a: P, b: P): number {
    return this.#log.compare(a, b);
  }

  /** About how many bytes `entry` takes in memory. */
  sizeOf(entry: E): number {
    return this.#log.sizeOf(entry);
  }

  /** Notifies the feed that the log may have grown. */
  wake(): void {
    if (this.#closed) return;
    if (this.#reading !== null) {
      this.#wokenMeanwhile = true;
      return;
    }
    this.#reading = this.#readAll()
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => {
        this.#reading = null;
        if (!this.#wokenMeanwhile) return;
        this.#wokenMeanwhile = false;
        this.wake();
      });
  }

  /**
   * Hands over entries that this process has just committed, which saves reading them back. They are taken only if they
   * follow directly on `end` (`isNext`); otherwise the feed reads them from the log.
   */
  offer(entries: readonly E[], isNext: (end: P, entry: E) => boolean): void {
    const [first] = entries;
    if (first === undefined || this.#closed) return;
    if (isNext(this.end, first)) this.#append(entries);
    else this.wake();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const listener of this.#listeners) listener(null);
    await this.#reading;
    this.#listeners.clear();
  }

  async #readAll(): Promise<void> {
    for (;;) {
      const { end } = this;
      const entries = await this.#log.read(end, this.#options.readLimit);
      if (this.#closed) return;
      if (entries === null) {
        await this.#restart();
        return;
      }
      this.#append(this.end === end ? entries : this.#after(entries));
      if (this.#isLast(entries)) return;
    }
  }

  /** Those that were not offered while they were read. */
  #after(entries: readonly E[]): readonly E[] {
    return entries.filter(({ position }) => this.#log.compare(position, this.end) > 0);
  }

  #isLast(entries: readonly E[]): boolean {
    const { readLimit, readBytes = Infinity } = this.#options;
    if (entries.length >= readLimit) return false;
    return entries.reduce((sum, entry) => sum + this.#log.sizeOf(entry), 0) < readBytes;
  }

  /** The log has removed entries that the feed has not read, or has gone back. Cursors before the new ring read the log. */
  async #restart(): Promise<void> {
    const start: P = await this.#log.begin();
    this.#ring = new Ring<P, E>(start, (a, b) => this.#log.compare(a, b), this.#options.limits);
    for (const listener of this.#listeners) listener(null);
    this.#wokenMeanwhile = true;
  }

  #append(entries: readonly E[]): void {
    if (entries.length === 0) return;
    for (const entry of entries) this.#ring.append(entry, this.#log.sizeOf(entry));
    for (const listener of this.#listeners) listener(entries);
  }
}
