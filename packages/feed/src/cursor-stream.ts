// A stream of one follower of a log: live out of the ring, or out of the log itself, in order, none missing, none twice.
import { SwarmError } from '@hypercode/contracts';
import type { Bookmarks } from './bookmarks.ts';
import type { Broadcast, Projection } from './broadcast.ts';
import { ended } from './ended.ts';
import type { Entry } from './ring.ts';
import type { StreamBatch, StreamItem } from './stream-item.ts';

/** A stream that does not read holds one batch as it is encoded, so batches of old entries are small ones. */
const CATCH_UP_VALUES = 32;

export interface CursorStreamOptions<P, E extends Entry<P>, I extends StreamItem, G> {
  broadcast: Broadcast<P, E, I>;
  bookmarks: Bookmarks<P, I>;
  /** The stream begins after this position. */
  from: P;
  /** Whether the store has confirmed that its log stands at or after `from`, so the feed will come to it if it has not. */
  isConfirmed: boolean;
  /** Whether what follows `position` in the feed's ring is what follows it in the log. */
  holds: (position: P) => boolean;
  /** Entries after `position`, straight from the log, not earlier than this call. */
  read: (position: P) => Promise<E[] | G>;
  /** Called when the log cannot be read after `position`: yields what to send instead, returns the position to continue from. */
  bridge: (gap: G, position: P) => AsyncGenerator<StreamBatch<I>, P, undefined>;
  /** A batch of the stream's own, asked for when it has everything up to `position`; null for none. */
  ownBatch?: (position: P) => StreamBatch<I> | null;
  /** Called with each batch of entries' items before it is handed out. Streams of the same projection are mostly called with the same array. */
  handedOut?(this: void, items: StreamBatch<I>): void;
  /** Called when everything up to `position` was handed out; between two calls, `handedOut` reports how far the stream has come. */
  reached?(this: void, position: P): void;
}

/**
 * Phases of a stream:
 * - live: the cursor stands in the feed's ring. Every step is shared with all streams of the same projection, and a
 *   bookmark is sent at every tick of `bookmarks`. Left when the ring no longer reaches the cursor or began anew.
 * - catching up: entries are read from the log, a page at a time, until the ring holds the cursor. A bookmark is sent after the
 *   first page that ends after a tick. When the log cannot be read after the cursor, `bridge` provides what is sent instead.
 * - ended: the signal aborted, or the feed was closed.
 *
 * `position` is always the position up to which everything was handed out. A stream is pulled: one that is not pulled
 * costs its cursor and nothing else.
 */
export class CursorStream<P, E extends Entry<P>, I extends StreamItem, G> {
  readonly #options: CursorStreamOptions<P, E, I, G>;
  #position: P;
  /** Whether the cursor may go live although the ring has not come to it. */
  #isConfirmed: boolean;

  constructor(options: CursorStreamOptions<P, E, I, G>) {
    this.#options = options;
    this.#position = options.from;
    this.#isConfirmed = options.isConfirmed;
  }

  /**
   * What `projection` lets through after the position. Ends when `signal` aborts: silently, or by throwing the signal's
   * reason if that is a SwarmError. UNAVAILABLE when the feed is closed; what `read` throws. May be called again, with
   * another projection, after it has ended silently.
   */
  async *run(projection: Projection<E, I>, signal: AbortSignal): AsyncGenerator<StreamBatch<I>, void, undefined> {
    const { broadcast, holds } = this.#options;
    while (!ended(signal)) {
      if (!this.#isConfirmed && !holds(this.#position)) yield* this.#catchUp(projection, signal);
      if (ended(signal)) return;
      this.#position = yield* this.#live(projection, signal);
      this.#isConfirmed = false;
      if (!signal.aborted && broadcast.feed.closed) {
        throw new SwarmError('UNAVAILABLE', 'the core is shutting down');
      }
    }
  }

  #live(projection: Projection<E, I>, signal: AbortSignal): AsyncGenerator<StreamBatch<I>, P, undefined> {
    const { broadcast, bookmarks, ownBatch, handedOut, reached } = this.#options;
    let { ticks } = bookmarks;
    const idle = (position: P): StreamBatch<I> | null => {
      reached?.(position);
      const own = ownBatch?.(position) ?? null;
      if (own !== null) return own;
      if (ticks === bookmarks.ticks) return null;
      ticks = bookmarks.ticks;
      return bookmarks.at(position);
    };
    return broadcast.follow(projection, this.#position, {
      signal,
      idle,
      ...(handedOut === undefined ? {} : { handedOut }),
    });
  }

  async *#catchUp(projection: Projection<E, I>, signal: AbortSignal): AsyncGenerator<StreamBatch<I>, void, undefined> {
    const { broadcast, bookmarks, holds, read, bridge, handedOut, reached } = this.#options;
    const { feed } = broadcast;
    let { ticks } = bookmarks;
    do {
      const entries = await read(this.#position);
      if (!Array.isArray(entries)) {
        this.#position = yield* bridge(entries, this.#position);
        reached?.(this.#position);
        continue;
      }
      const items = entries.map((entry) => projection.project(entry)).filter((item) => item !== null);
      for (let from = 0; from < items.length; from += CATCH_UP_VALUES) {
        const batch = items.slice(from, from + CATCH_UP_VALUES);
        handedOut?.(batch);
        yield batch;
      }
      this.#position = entries.at(-1)?.position ?? this.#position;
      reached?.(this.#position);
      if (ticks !== bookmarks.ticks) {
        // So that a stream that is lost in a long stretch without a match does not read all of it again.
        ticks = bookmarks.ticks;
        yield bookmarks.at(this.#position);
      }
      if (entries.length > 0 || holds(this.#position)) continue;
      // The end of the log, and the feed has not come so far.
      if (feed.compare(feed.end, this.#position) < 0) return;
      // The feed is ahead of the store: the log lost its end, and the feed has not noticed yet.
      feed.wake();
      await feed.moved(signal);
    } while (!signal.aborted && !feed.closed && !holds(this.#position));
  }
}
