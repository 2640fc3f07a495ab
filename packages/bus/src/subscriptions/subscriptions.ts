// Subscriptions: what matches some patterns, live and from the past, in order, none missing, none twice, or a gap that says so.
import type { Clock } from '@hypercode/clock';
import type { StartFrom } from '@hypercode/contracts';
import { Bookmarks, CursorStream, ended, type StreamBatch } from '@hypercode/feed';
import { type EventLog, type LogGap, oldestOf, resumeOf } from '../store/event-log.ts';
import { formatPosition, type LogPosition, positionIn } from '../store/position.ts';
import type { EventOrigin } from '../appending/event-origin.ts';
import { bookmarkItem, gapItem, itemOf, originsIn, type SubscriptionItem } from './event-item.ts';
import { type EventFeeds, holds } from './event-feeds.ts';
import type { LiveStream } from './live-streams.ts';
import { projectionOf, type TopicFilter } from './topic-filter.ts';

/** How often a subscriber that has everything is sent a bookmark, in milliseconds. */
const BOOKMARK_INTERVAL_MS = 15_000;

export interface SubscriptionRequest {
  namespace: string;
  from: StartFrom;
  /** Takes precedence over `from`. */
  lastEventId: string | undefined;
  /** What the subscriber may receive of what it has asked for; asked again after `onChange`. Throws ACL_DENIED. */
  filter: () => TopicFilter | Promise<TopicFilter>;
  /** Calls back when `filter` may answer otherwise. Returns what ends it. */
  onChange: (listener: () => void) => () => void;
  /** Called with the events of each batch before it is handed out. Subscriptions that are handed out the same give the same array. */
  onEvents: (events: readonly EventOrigin[]) => void;
  /** Is notified of where it begins and how far it comes. */
  stream: Pick<LiveStream, 'began' | 'reached'>;
}

export interface SubscriptionsOptions {
  feeds: EventFeeds;
  log: Pick<EventLog, 'positionBefore'>;
  clock: Pick<Clock, 'schedule'>;
  bookmarkIntervalMs?: number;
}

type Batches<R> = AsyncGenerator<StreamBatch<SubscriptionItem>, R, undefined>;

/**
 * A subscription begins with a bookmark at the position where it attached, and goes on as a `CursorStream`. When the log
 * cannot be read after the cursor, a gap gives the reason, and the stream goes on where the log can be read again. When the policy
 * changes, it goes on from where it is with what the policy allows then.
 */
export class Subscriptions {
  readonly #feeds: EventFeeds;
  readonly #log: Pick<EventLog, 'positionBefore'>;
  readonly #bookmarks: Bookmarks<LogPosition, SubscriptionItem>;

  constructor({ feeds, log, clock, bookmarkIntervalMs = BOOKMARK_INTERVAL_MS }: SubscriptionsOptions) {
    this.#feeds = feeds;
    this.#log = log;
    this.#bookmarks = new Bookmarks({
      clock,
      intervalMs: bookmarkIntervalMs,
      idOf: formatPosition,
      make: bookmarkItem,
      onTick: () => feeds.tick(),
    });
  }

  /**
   * The values of a subscription, in batches. It ends when `signal` aborts: silently, or by throwing the signal's reason if
   * that is a SwarmError. Throws INVALID_INPUT for a position that is none, what the filter throws, and UNAVAILABLE when it needs
   * the store and the store does not answer; the last value's id resumes it.
   */
  async *open(request: SubscriptionRequest, signal: AbortSignal): Batches<void> {
    const { namespace, from, lastEventId, onChange, onEvents, stream: live } = request;
    const named = startOf(from, lastEventId);
    let stale = new AbortController();
    const end = () => stale.abort();
    // Before the filter is asked for: a change while the store answers counts, too.
    const releases = [onChange(end)];
    signal.addEventListener('abort', end);
    try {
      let filter = await request.filter();
      const asked = this.#feeds.head(namespace);
      // It is awaited below, unless the log cannot be followed either.
      asked.catch(() => undefined);
      const { followed, release } = await this.#feeds.use(namespace);
      releases.push(release);
      const range = await asked;
      const after = named instanceof Date ? await this.#log.positionBefore(namespace, named.getTime()) : named;
      const { feed, broadcasts } = followed;
      const start = after ?? (from === 'earliest' ? oldestOf(range) : range.head);
      live.began(start);
      yield [bookmarkItem(start)];
      // A head that the feed has not come to is where the feed will come to.
      const isConfirmed = after === null && from === 'latest' && feed.compare(feed.end, start) <= 0;
      if (isConfirmed && feed.compare(feed.end, start) < 0) feed.wake();
      const stream = new CursorStream({
        broadcast: broadcasts.subscribers,
        bookmarks: this.#bookmarks,
        from: start,
        isConfirmed,
        holds: (position) => holds(feed, position),
        read: (position) => this.#feeds.read(namespace, position),
        handedOut(batch) {
          onEvents(originsIn(batch));
          const last = batch.at(-1);
          if (last !== undefined) live.reached(last);
        },
        reached: (position) => live.reached(position),
        bridge: async function* (gap: LogGap, position): Batches<LogPosition> {
          yield [gapItem(position, resumeOf(gap), gap.gap)];
          return resumeOf(gap);
        },
      });
      while (!ended(signal)) {
        if (stale.signal.aborted) {
          stale = new AbortController();
          filter = await request.filter();
        } else {
          yield* stream.run(projectionOf(filter, itemOf), stale.signal);
        }
      }
    } finally {
      signal.removeEventListener('abort', end);
      for (const release of releases) release();
    }
  }

  close(): void {
    this.#bookmarks.close();
  }
}

/** The position to go on after, or the time to begin at; null when the log's range gives it. */
function startOf(from: StartFrom, lastEventId: string | undefined): LogPosition | Date | null {
  if (lastEventId !== undefined && lastEventId !== '') return positionIn(lastEventId, 'lastEventId');
  if (typeof from === 'string') return null;
  return 'time' in from ? new Date(from.time) : positionIn(from.after, 'from.after');
}
