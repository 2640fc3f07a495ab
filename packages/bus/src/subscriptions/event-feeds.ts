// The logs of all namespaces that this replica follows, each as one feed that subscriptions and groups listen to.
import { unavailable } from '@hypercode/stores';
import { Broadcast, coalesce, Feed, type Log, type Signal } from '@hypercode/feed';
import type { EventLog, LogEntry, LogGap, LogRange, Retention } from '../store/event-log.ts';
import { formatPosition, isSamePosition, type LogPosition } from '../store/position.ts';
import type { SubscriptionItem } from './event-item.ts';

/** What a replica keeps in memory of each namespace's log. */
const RING_LIMITS = { maxEntries: 8192, maxBytes: 32 * 1024 * 1024 };
/** Events read at a time. */
const READ_LIMIT = 500;
/** In characters: stores cut a page short at about 1 MiB of UTF-8, which is at least a third of that. */
const READ_LENGTH = 256 * 1024;
/** A log that is at most so long is read from its beginning when it is first followed, so that early cursors are served from memory. */
const PRELOADED_EVENTS = 2000;
/** How long a lost wake-up can delay a subscriber. */
const POLL_INTERVAL_MS = 1000;
/** Polls after which a log that nobody uses is followed no longer. */
const IDLE_POLLS = 60;
/** About what an event takes in memory besides its text. */
const ENTRY_BYTES = 200;

export type EventFeed = Feed<LogPosition, LogEntry>;
export type EventBroadcast = Broadcast<LogPosition, LogEntry, SubscriptionItem>;

/** One followed namespace. */
export interface FollowedLog {
  readonly feed: EventFeed;
  /** For subscribers, who hear items that all share. */
  readonly subscribers: EventBroadcast;
  /** For consumer groups, which want the entries themselves. */
  readonly groups: Broadcast<LogPosition, LogEntry, LogEntry>;
  /** Says that the log may have grown. */
  readonly wake: () => void;
  /** Keeps it followed. Returns what ends that. */
  readonly use: () => () => void;
}

/** How much a followed log is in use. */
interface Usage {
  users: number;
  idlePolls: number;
  readonly unsubscribe: () => void;
}

export interface EventFeedsOptions {
  log: EventLog;
  signal: Signal;
  onError: (error: unknown) => void;
}

const channelOf = (namespace: string): string => `bus:${namespace}`;

/**
 * Wake-ups come from the signal; once a second all followed logs are asked where they stand, so a wake-up that was lost only costs
 * time.
 */
export class EventFeeds {
  readonly #options: EventFeedsOptions;
  readonly #followed = new Map<string, Promise<FollowedLog>>();
  readonly #running = new Map<string, FollowedLog>();
  readonly #usages = new Map<string, Usage>();
  readonly #freshRange: (namespace: string) => Promise<LogRange | undefined>;
  /** The last read behind each position that is not done. */
  readonly #reads = new Map<string, { readonly answer: Promise<LogEntry[] | LogGap>; hasBegun: boolean }>();
  #poll: NodeJS.Timeout | null = null;
  #polling: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: EventFeedsOptions) {
    this.#options = options;
    this.#freshRange = coalesce((namespaces) => this.#rangesOf(namespaces));
    this.#schedulePoll();
  }

  /** The log of a namespace; it is followed while it is in use, and for a minute more. UNAVAILABLE when the store does not answer. */
  follow(namespace: string): Promise<FollowedLog> {
    const followed = this.#followed.get(namespace);
    const usage = this.#usages.get(namespace);
    if (usage !== undefined) usage.idlePolls = 0;
    if (followed !== undefined) return followed;
    const started = this.#start(namespace);
    this.#followed.set(namespace, started);
    started.catch(() => this.#followed.delete(namespace));
    return started;
  }

  /** What the logs keep. */
  get retention(): Retention {
    return this.#options.log.retention;
  }

  /** What is followed now, by namespace. */
  get running(): ReadonlyMap<string, FollowedLog> {
    return this.#running;
  }

  /** Where the log of a namespace stands in the store now, not earlier than this call. */
  async range(namespace: string): Promise<LogRange> {
    const range = await this.#freshRange(namespace);
    if (range === undefined) throw unavailable('the event store does not answer');
    return range;
  }

  /**
   * Events after `position`, straight from the store, not earlier than this call. Who asks for the same while a read of it is
   * under way is given the next one, together with the others.
   */
  read(namespace: string, position: LogPosition): Promise<LogEntry[] | LogGap> {
    const key = `${namespace} ${formatPosition(position)}`;
    const last = this.#reads.get(key);
    if (last?.hasBegun === false) return last.answer;
    const begin = () => {
      read.hasBegun = true;
      return this.#options.log.read(namespace, position, READ_LIMIT);
    };
    const answer = (last?.answer ?? Promise.resolve()).then(begin);
    const read = { answer, hasBegun: false };
    this.#reads.set(key, read);
    const done = () => {
      if (this.#reads.get(key) === read) this.#reads.delete(key);
    };
    answer.then(done, done);
    return answer;
  }

  /**
   * Takes events that this replica has appended where the log ended at `before`, and wakes the others. The number alone would
   * not do: after the store lost its end, what others appended since may have been given the numbers that the feed knows.
   */
  appended(namespace: string, entries: readonly LogEntry[], before: LogPosition | undefined): void {
    const followed = this.#running.get(namespace);
    followed?.feed.offer(entries, (end) => before !== undefined && isSamePosition(end, before));
    this.#options.signal.notify(channelOf(namespace), followed?.wake);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#poll !== null) clearTimeout(this.#poll);
    await this.#polling;
    const followed = await Promise.allSettled(this.#followed.values());
    for (const { unsubscribe } of this.#usages.values()) unsubscribe();
    const running = followed.filter((log) => log.status === 'fulfilled');
    await Promise.all(running.map(({ value }) => value.feed.close()));
  }

  async #start(namespace: string): Promise<FollowedLog> {
    const { signal, onError } = this.#options;
    const log: Log<LogPosition, LogEntry> = {
      read: async (position, limit) => {
        const read = await this.#options.log.read(namespace, position, limit);
        return Array.isArray(read) ? read : null;
      },
      begin: async () => {
        const { horizon, head } = await this.range(namespace);
        return head.seq - horizon.seq <= PRELOADED_EVENTS ? horizon : head;
      },
      // Positions of different logs have no order: every comparison of them is false.
      compare: (a, b) => (a.epoch === b.epoch ? a.seq - b.seq : Number.NaN),
      sizeOf: ({ text }) => ENTRY_BYTES + text.length,
    };
    let feed: EventFeed | null = null;
    let isWokenEarly = false;
    const wake = () => {
      if (feed === null) isWokenEarly = true;
      else feed.wake();
    };
    // Before the first read: what is appended while the store answers is not in the answer.
    const unsubscribe = signal.subscribe(channelOf(namespace), wake);
    try {
      feed = await Feed.follow(log, { limits: RING_LIMITS, readLimit: READ_LIMIT, readBytes: READ_LENGTH, onError });
    } catch (error) {
      unsubscribe();
      throw error;
    }
    if (isWokenEarly) feed.wake();
    const routes = { routeOf: ({ topic }: LogEntry) => topic };
    const usage: Usage = { users: 0, idlePolls: 0, unsubscribe };
    const followed: FollowedLog = {
      feed,
      subscribers: new Broadcast(feed, routes),
      groups: new Broadcast(feed, routes),
      wake,
      use: () => {
        usage.users += 1;
        return () => {
          usage.users -= 1;
        };
      },
    };
    this.#usages.set(namespace, usage);
    this.#running.set(namespace, followed);
    return followed;
  }

  /** Asks for all at once, and one by one when that fails: on a Cluster, some may be on a node that is away. Those are left out. */
  async #rangesOf(namespaces: string[]): Promise<Map<string, LogRange>> {
    const { log } = this.#options;
    try {
      return await log.ranges(namespaces);
    } catch (error) {
      const [first, ...others] = namespaces;
      if (first === undefined || others.length === 0) throw error;
      const each = await Promise.allSettled(namespaces.map((namespace) => log.ranges([namespace])));
      const found = each.flatMap((result) => (result.status === 'fulfilled' ? [...result.value] : []));
      if (found.length === 0) throw error;
      return new Map(found);
    }
  }

  #schedulePoll(): void {
    if (this.#closed) return;
    this.#poll = setTimeout(() => {
      this.#polling = this.#wakeWhoIsBehind()
        .catch(this.#options.onError)
        .finally(() => this.#schedulePoll());
    }, POLL_INTERVAL_MS);
  }

  /** Lets go of logs that nobody has used for a while; whoever comes next begins with a new feed. */
  async #letGo(): Promise<void> {
    for (const [namespace, usage] of this.#usages) {
      usage.idlePolls = usage.users > 0 ? 0 : usage.idlePolls + 1;
      if (usage.idlePolls <= IDLE_POLLS) continue;
      usage.unsubscribe();
      const followed = this.#running.get(namespace);
      this.#usages.delete(namespace);
      this.#running.delete(namespace);
      this.#followed.delete(namespace);
      await followed?.feed.close();
    }
  }

  async #wakeWhoIsBehind(): Promise<void> {
    await this.#letGo();
    if (this.#running.size === 0) return;
    const ranges = await this.#rangesOf([...this.#running.keys()]);
    for (const [namespace, { feed }] of this.#running) {
      const range = ranges.get(namespace);
      if (range !== undefined && !isSamePosition(range.head, feed.end)) feed.wake();
    }
  }
}

/** Settles when the feed brings something, begins anew or is closed, or when `signal` aborts. */
export function nextNewsOf(feed: EventFeed, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || feed.closed) return resolve();
    const settle = () => {
      signal.removeEventListener('abort', settle);
      unlisten();
      resolve();
    };
    const unlisten = feed.onEntries(settle);
    signal.addEventListener('abort', settle);
  });
}

/** Whether the feed's ring holds the event at `position` itself, so that what follows it there is what follows it in the log. */
export function holds({ ring }: EventFeed, position: LogPosition): boolean {
  if (isSamePosition(ring.start, position)) return true;
  if (!ring.reaches(position)) return false;
  const [entry] = ring.after({ ...position, seq: position.seq - 1 }, 1);
  return entry !== undefined && isSamePosition(entry.position, position);
}
