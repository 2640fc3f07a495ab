// The event logs of all namespaces that this replica follows, each as one feed that subscriptions and groups share.
import type { Clock } from '@hypercode/clock';
import { Broadcast, type Feed, FollowedLogs, type Signal } from '@hypercode/feed';
import type { EventLog, LogEntry, LogGap, LogRange, Retention } from '../store/event-log.ts';
import {
  comparePositions,
  formatPosition,
  hasAll,
  isSamePosition,
  isUnbegun,
  type LogPosition,
} from '../store/position.ts';
import type { SubscriptionItem } from './event-item.ts';

/** What a replica keeps in memory of each namespace's log. */
const RING_LIMITS = { maxEntries: 8192, maxBytes: 32 * 1024 * 1024 };
/** Events read at a time. */
const READ_LIMIT = 500;
/** In characters: stores cut a page short at about 1 MiB of UTF-8, which is at least a third of that. */
const READ_LENGTH = 256 * 1024;
/** A log that is at most so long is read from its beginning when it is first followed, so that early cursors are served from memory. */
const PRELOADED_EVENTS = 2000;
/** About what an event takes in memory besides its text. */
const ENTRY_BYTES = 200;

export type EventFeed = Feed<LogPosition, LogEntry>;

function broadcastsOf(feed: EventFeed) {
  const routes = { routeOf: ({ topic }: LogEntry) => topic };
  return {
    /** For subscribers, who receive items that all share. */
    subscribers: new Broadcast<LogPosition, LogEntry, SubscriptionItem>(feed, routes),
    /** For consumer groups, which need the entries themselves. */
    groups: new Broadcast<LogPosition, LogEntry, LogEntry>(feed, routes),
  };
}
type EventBroadcasts = ReturnType<typeof broadcastsOf>;

/** One followed namespace. */
export type FollowedEvents = Awaited<ReturnType<EventFeeds['follow']>>;

export interface EventFeedsOptions {
  log: EventLog;
  signal: Signal;
  clock: Pick<Clock, 'schedule'>;
  onError: (error: unknown) => void;
}

export class EventFeeds extends FollowedLogs<LogPosition, LogEntry, LogRange, LogGap, EventBroadcasts> {
  /** What the logs keep. */
  readonly retention: Retention;

  constructor({ log, ...options }: EventFeedsOptions) {
    super({
      logs: {
        channelOf: (namespace) => `bus:${namespace}`,
        read: (namespace, position, limit) => log.read(namespace, position, limit),
        heads: (namespaces) => rangesOf(log, namespaces),
        beginAt: ({ horizon, head }) => (head.seq - horizon.seq <= PRELOADED_EVENTS ? horizon : head),
        isAt: ({ head }, end) => hasAll(end, head),
        isBlank: ({ seq }) => seq === 0,
        keyOf: formatPosition,
        compare: comparePositions,
        sizeOf: ({ text }) => ENTRY_BYTES + text.length,
      },
      broadcasts: broadcastsOf,
      limits: RING_LIMITS,
      readLimit: READ_LIMIT,
      readBytes: READ_LENGTH,
      ...options,
    });
    this.retention = log.retention;
  }

  /**
   * Takes events that this replica has appended where the log ended at `before`, and wakes the others. The number alone would
   * not do: after the store lost its end, what others appended since may have been given the numbers that the feed knows.
   */
  appended(namespace: string, entries: readonly LogEntry[], before: LogPosition | undefined): void {
    this.offer(namespace, entries, (end) => before !== undefined && hasAll(end, before));
  }
}

/**
 * Asks for all ranges at once, and one by one when that fails: on a Cluster, some logs may be on a node that does not answer.
 * Those are left out.
 */
async function rangesOf(log: EventLog, namespaces: readonly string[]): Promise<Map<string, LogRange>> {
  try {
    return await log.ranges(namespaces);
  } catch (error) {
    if (namespaces.length < 2) throw error;
    const each = await Promise.allSettled(namespaces.map((namespace) => log.ranges([namespace])));
    const found = each.flatMap((result) => (result.status === 'fulfilled' ? [...result.value] : []));
    if (found.length === 0) throw error;
    return new Map(found);
  }
}

/** Whether the feed's ring holds the event at `position` itself, so that what follows it there is what follows it in the log. */
export function holds({ ring }: EventFeed, position: LogPosition): boolean {
  // What a ring has of a log may be lost by now; without entries it has nothing that could be.
  if (isUnbegun(position)) return ring.start.seq === 0 && ring.size === 0;
  if (isSamePosition(ring.start, position)) return true;
  if (!ring.reaches(position)) return false;
  if (position.seq === 0) {
    // A ring that came before the log holds it from its beginning.
    const [first] = ring.after(position, 1);
    return isUnbegun(ring.start) && first?.position.epoch === position.epoch;
  }
  const [entry] = ring.after({ ...position, seq: position.seq - 1 }, 1);
  return entry !== undefined && isSamePosition(entry.position, position);
}
