// Subscriptions: what matches some patterns, live and from the past, in order, none missing, none twice, or a gap that says so.
import { SwarmError, type StartFrom } from '@hypercode/contracts';
import type { StreamBatch } from '@hypercode/feed';
import { unavailable } from '@hypercode/database';
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

/** One subscription while it is open. */
interface Session {
  readonly namespace: string;
  readonly followed: FollowedLog;
  readonly signal: AbortSignal;
  filter: TopicFilter;
  /** Aborts when the filter has to be asked for again. */
  stale: AbortController;
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
      for (const { subscribers } of feeds.running.values()) subscribers.stir();
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
    const filter = await request.filter();
    const [followed, range] = await Promise.all([this.#feeds.follow(namespace), this.#feeds.range(namespace)]);
    const { feed } = followed;
    const session: Session = { namespace, followed, signal, filter, stale: new AbortController() };
    const end = () => session.stale.abort();
    const release = onChange(end);
    signal.addEventListener('abort', end);
    try {
      let position = after ?? (from === 'earliest' ? range.horizon : range.head);
      yield [bookmarkItem(position)];
      // A head that the feed has not come to is where the feed will come to.
      let isKnown = after === null && from === 'latest' && feed.compare(feed.end, position) <= 0;
      if (isKnown && feed.compare(feed.end, position) < 0) feed.wake();
      while (!ended(signal)) {
        if (session.stale.signal.aborted) {
          session.stale = new AbortController();
          session.filter = await request.filter();
          continue;
        }
        if (!isKnown && !holds(feed, position)) position = yield* this.#catchUp(session, position);
        if (ended(signal)) return;
        position = yield* this.#live(session, position);
        isKnown = false;
        if (!signal.aborted && feed.closed) throw unavailable('the core is shutting down');
      }
    } finally {
      signal.removeEventListener('abort', end);
      release();
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
    return followed.subscribers.follow(projectionOf(filter, itemOf), from, { signal: stale.signal, idle });
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
      const batch = read.map((entry) => projection.project(entry)).filter((item) => item !== null);
      if (batch.length > 0) yield batch;
      position = read.at(-1)?.position ?? position;
      if (read.length > 0 || holds(feed, position)) continue;
      // The end of the log, and the feed has not come so far.
      if (feed.compare(feed.end, position) < 0) return position;
      // The feed is further than the store: what it follows is lost, and it has not noticed yet.
      feed.wake();
      await nextNewsOf(feed, stale.signal);
    } while (!stale.signal.aborted && !feed.closed && !holds(feed, position));
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

/** Where to go on; null for a word that the log's range explains. */
function startOf(from: StartFrom, lastEventId: string | undefined): LogPosition | null {
  if (lastEventId !== undefined && lastEventId !== '') return positionIn(lastEventId, 'lastEventId');
  return typeof from === 'string' ? null : positionIn(from.after, 'from.after');
}
