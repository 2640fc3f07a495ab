// Subscriptions: what matches some patterns, live and from the past, in order, none missing, none twice, or a gap that says so.
import { SwarmError, type StartFrom } from '@hypercode/contracts';
import type { StreamBatch } from '@hypercode/feed';
import { unavailable } from '@hypercode/stores';
import { formatPosition, type LogPosition, positionIn } from '../store/position.ts';
import { bookmarkItem, gapItem, itemOf, type SubscriptionItem } from './event-item.ts';
import { type EventFeeds, type FollowedLog, holds, nextNewsOf } from './event-feeds.ts';
import { projectionOf, type TopicFilter } from './topic-filter.ts';

/** How often a subscriber that has everything is told so; it keeps its cursor young and its connection alive. */
const BOOKMARK_INTERVAL_MS = 15_000;

export interface SubscriptionRequest {
  namespace: string;
  from: StartFrom;
  /** Beats `from`. */
  lastEventId: string | undefined;
  /** What the subscriber may hear of what it has asked for; asked again after `onChange`. Throws ACL_DENIED. */
  filter: () => TopicFilter | Promise<TopicFilter>;
  /** Calls back when `filter` may answer otherwise. Returns what ends it. */
  onChange: (listener: () => void) => () => void;
}

export interface SubscriptionsOptions {
  feeds: EventFeeds;
  bookmarkIntervalMs?: number;
}

type Batches<R> = AsyncGenerator<StreamBatch<SubscriptionItem>, R, undefined>;

/** One subscription for as long as its filter stays as it is. */
interface Session {
  readonly namespace: string;
  readonly followed: FollowedLog;
  readonly filter: TopicFilter;
  /** Aborts when the filter has to be asked for again. */
  readonly stale: AbortSignal;
}

/**
 * Phases of one subscription, after a bookmark at the position where it attached:
 * - live: the cursor stands in the feed's ring; every step is shared with all subscribers who hear the same. Left when the ring no
 *   longer reaches the cursor or was begun anew, and when the policy changed.
 * - catching up: events are read from the log, a page at a time, until the ring holds the cursor again. When the log can
 *   not tell what follows the cursor, a gap says why, and it goes on from the log's horizon.
 *
 * A subscription is pulled. One that is not pulled costs its cursor and nothing else.
 */
export class Subscriptions {
  readonly #feeds: EventFeeds;
  readonly #bookmarks: NodeJS.Timeout;
  #bookmarkTick = 0;
  #lastBookmark: StreamBatch<SubscriptionItem> | null = null;

  constructor({ feeds, bookmarkIntervalMs = BOOKMARK_INTERVAL_MS }: SubscriptionsOptions) {
    this.#feeds = feeds;
    this.#bookmarks = setInterval(() => {
      this.#bookmarkTick += 1;
      for (const { subscribers, groups } of feeds.running.values()) {
        subscribers.tick();
        // What they hold for groups that hear nothing new is let go of.
        groups.tick();
      }
    }, bookmarkIntervalMs);
  }

  /**
   * The values of a subscription, in batches. It ends when `signal` aborts: silently, or by throwing the signal's reason if
   * that is a SwarmError. Throws INVALID_INPUT for a position that is none, what the filter throws, and UNAVAILABLE when it needs
   * the store and the store does not answer; the last value's id resumes it.
   */
  async *open(request: SubscriptionRequest, signal: AbortSignal): Batches<void> {
    const { namespace, from, lastEventId, onChange } = request;
    const after = startOf(from, lastEventId);
    let stale = new AbortController();
    const end = () => stale.abort();
    // Before the filter is asked for: what changes while the store answers counts, too.
    const releases = [onChange(end)];
    signal.addEventListener('abort', end);
    try {
      let filter = await request.filter();
      const [followed, range] = await Promise.all([this.#feeds.follow(namespace), this.#feeds.range(namespace)]);
      releases.push(followed.use());
      const { feed } = followed;
      let position = after ?? (from === 'earliest' ? range.horizon : range.head);
      yield [bookmarkItem(position)];
      // A head that the feed has not come to is where the feed will come to.
      let isKnown = after === null && from === 'latest' && feed.compare(feed.end, position) <= 0;
      if (isKnown && feed.compare(feed.end, position) < 0) feed.wake();
      while (!ended(signal)) {
        if (stale.signal.aborted) {
          stale = new AbortController();
          filter = await request.filter();
          continue;
        }
        const session: Session = { namespace, followed, filter, stale: stale.signal };
        if (!isKnown && !holds(feed, position)) position = yield* this.#catchUp(session, position);
        if (ended(signal)) return;
        position = yield* this.#live(session, position);
        isKnown = false;
        if (!signal.aborted && feed.closed) throw unavailable('the core is shutting down');
      }
    } finally {
      signal.removeEventListener('abort', end);
      for (const release of releases) release();
    }
  }

  close(): void {
    clearInterval(this.#bookmarks);
  }

  #live({ followed, filter, stale }: Session, from: LogPosition): Batches<LogPosition> {
    let tick = this.#bookmarkTick;
    const idle = (position: LogPosition): StreamBatch<SubscriptionItem> | null => {
      if (tick === this.#bookmarkTick) return null;
      tick = this.#bookmarkTick;
      return this.#bookmark(position);
    };
    return followed.subscribers.follow(projectionOf(filter, itemOf), from, { signal: stale, idle });
  }

  async *#catchUp({ namespace, followed, filter, stale }: Session, from: LogPosition): Batches<LogPosition> {
    const projection = projectionOf(filter, itemOf);
    const { feed } = followed;
    let position = from;
    do {
      const read = await this.#feeds.read(namespace, position);
      if (!Array.isArray(read)) {
        const { horizon } = read.range;
        yield [gapItem(position, horizon, read.gap)];
        position = horizon;
        continue;
      }
      const heard = read.map((entry) => projection.project(entry)).filter((item) => item !== null);
      for (const batch of inBatches(heard)) yield batch;
      position = read.at(-1)?.position ?? position;
      if (read.length > 0 || holds(feed, position)) continue;
      // The end of the log, and the feed has not come so far.
      if (feed.compare(feed.end, position) < 0) return position;
      // The feed is further than the store: what it follows is lost, and it has not noticed yet.
      feed.wake();
      await nextNewsOf(feed, stale);
    } while (!stale.aborted && !feed.closed && !holds(feed, position));
    return position;
  }

  /** Subscribers who stand at the same position are sent the same object. */
  #bookmark(position: LogPosition): StreamBatch<SubscriptionItem> {
    let bookmark = this.#lastBookmark;
    if (bookmark?.[0]?.id !== formatPosition(position)) this.#lastBookmark = bookmark = [bookmarkItem(position)];
    return bookmark;
  }
}

/** Whether the subscription is over. Throws the reason when that is a refusal. */
function ended(signal: AbortSignal): boolean {
  if (signal.aborted && signal.reason instanceof SwarmError) throw signal.reason;
  return signal.aborted;
}

/** A stream that does not read holds one batch as it is written, so batches of old events are small ones. */
const CATCH_UP_VALUES = 32;

function* inBatches(items: readonly SubscriptionItem[]): Generator<StreamBatch<SubscriptionItem>> {
  for (let from = 0; from < items.length; from += CATCH_UP_VALUES) yield items.slice(from, from + CATCH_UP_VALUES);
}

/** Where to go on; null for a word that the log's range explains. */
function startOf(from: StartFrom, lastEventId: string | undefined): LogPosition | null {
  if (lastEventId !== undefined && lastEventId !== '') return positionIn(lastEventId, 'lastEventId');
  return typeof from === 'string' ? null : positionIn(from.after, 'from.after');
}
