// The logs of all namespaces that this replica follows, each as one feed.
import { type Clock, repeat } from '@hypercode/clock';
import { SwarmError } from '@hypercode/contracts';
import { Feed } from './feed.ts';
import { coalesce } from './loader.ts';
import type { Entry, RingLimits } from './ring.ts';
import { SharedReads } from './shared-reads.ts';
import type { Signal } from './signal.ts';

/** The logs as their store keeps them: positions P, entries E, heads H, and G for the reason why a log cannot be read. */
export interface Logs<P, E extends Entry<P>, H, G> {
  /** Where wake-ups for the log of a namespace are sent. */
  channelOf(namespace: string): string;
  /** At most `limit` entries after `position`, in order, without a hole; or the reason why the log cannot be read after it. */
  read(namespace: string, position: P, limit: number): Promise<E[] | G>;
  /** Where the logs stand. A log whose store does not answer may be left out, or the call fails for all. */
  heads(namespaces: string[]): Promise<Map<string, H>>;
  /** From where a log is worth following: how much of it is kept in memory from the beginning. */
  beginAt(head: H, namespace: string): P | Promise<P>;
  /** Whether a feed that ends at `end` has everything. */
  isAt(head: H, end: P): boolean;
  /** Whether a log that ends there has no entry yet. */
  isBlank(end: P): boolean;
  /** The same text for the same position. */
  keyOf(position: P): string;
  compare(a: P, b: P): number;
  /** About how many bytes the entry takes in memory. */
  sizeOf(entry: E): number;
}

/** What is made for each followed log, and released with it. */
export type Broadcasts = Readonly<Record<string, { tick(): void }>>;

export interface FollowedLogsOptions<P, E extends Entry<P>, H, G, B extends Broadcasts> {
  logs: Logs<P, E, H, G>;
  broadcasts: (feed: Feed<P, E>) => B;
  signal: Signal;
  clock: Pick<Clock, 'schedule'>;
  /** What is kept in memory of each log. */
  limits: RingLimits;
  /** Entries read at a time. */
  readLimit: number;
  /** A page of so many bytes may have been cut short for its size. Default: none is. */
  readBytes?: number;
  onError: (error: unknown) => void;
}

/** One followed log. */
export interface FollowedLog<P, E extends Entry<P>, B> {
  readonly feed: Feed<P, E>;
  readonly broadcasts: B;
  /** Reports that the log may have grown. */
  readonly wake: () => void;
  /** Keeps the log followed until the returned function is called. */
  readonly use: () => () => void;
  /** Keeps the log followed for another minute. */
  readonly touch: () => void;
}

/** A followed log that is in use until `release` is called. */
export interface UsedLog<P, E extends Entry<P>, B> {
  readonly followed: FollowedLog<P, E, B>;
  readonly release: () => void;
}

interface Running<P, E extends Entry<P>, B> extends FollowedLog<P, E, B> {
  users: number;
  idlePolls: number;
  readonly unsubscribe: () => void;
}

/** How long a lost wake-up can delay a follower, in milliseconds. */
const POLL_INTERVAL_MS = 1000;
/** Polls after which a log that is not in use is released. */
const IDLE_POLLS = 60;

/**
 * States of a log:
 * - starting: wake-ups are noted, and the first pages are read. Polls leave it out, so a store that does not answer for
 *   one log delays no other.
 * - running: wake-ups come from the signal; once a second the heads of all running logs are read together, so a wake-up
 *   that was lost only costs time.
 * - released: after a minute without a user; at once after the last user of a log that has no entry, so that reading a namespace that
 *   has no write leaves nothing behind. The feed is closed, and the next caller starts a new one.
 */
export class FollowedLogs<P, E extends Entry<P>, H, G, B extends Broadcasts> {
  readonly #options: FollowedLogsOptions<P, E, H, G, B>;
  /** Starting and running logs. */
  readonly #followed = new Map<string, Promise<FollowedLog<P, E, B>>>();
  readonly #running = new Map<string, Running<P, E, B>>();
  readonly #closing = new Set<Promise<void>>();
  readonly #freshHead: (namespace: string) => Promise<H | undefined>;
  readonly #reads = new SharedReads<E[] | G>();
  readonly #endPolls: () => void;
  #polling: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: FollowedLogsOptions<P, E, H, G, B>) {
    this.#options = options;
    this.#freshHead = coalesce((namespaces) => options.logs.heads(namespaces));
    this.#endPolls = repeat(options.clock, POLL_INTERVAL_MS, () => {
      this.#polling = this.#poll().catch(options.onError);
      return this.#polling;
    });
  }

  /** The log of a namespace, followed while it is in use and for a minute more. Fails when the store does not answer. */
  follow(namespace: string): Promise<FollowedLog<P, E, B>> {
    this.#running.get(namespace)?.touch();
    const followed = this.#followed.get(namespace);
    if (followed !== undefined) return followed;
    if (this.#closed) return Promise.reject(new SwarmError('UNAVAILABLE', 'the core is shutting down'));
    const started = this.#start(namespace);
    this.#followed.set(namespace, started);
    started.catch(() => this.#followed.delete(namespace));
    return started;
  }

  /** The log of a namespace, in use from now on. Fails when the store does not answer. */
  async use(namespace: string): Promise<UsedLog<P, E, B>> {
    for (;;) {
      const followed = await this.follow(namespace);
      // A log without an entry may have been released with its last user in this moment.
      if (!followed.feed.closed) return { followed, release: followed.use() };
    }
  }

  /** What is followed now, by namespace. */
  get running(): ReadonlyMap<string, FollowedLog<P, E, B>> {
    return this.#running;
  }

  /** Where the log of a namespace stands in the store, not earlier than this call. UNAVAILABLE when the store does not answer. */
  async head(namespace: string): Promise<H> {
    const head = await this.#freshHead(namespace);
    if (head === undefined) throw new SwarmError('UNAVAILABLE', 'the store does not answer');
    return head;
  }

  /** A page of entries after `position`, straight from the store, not earlier than this call; shared by concurrent callers. */
  read(namespace: string, position: P): Promise<E[] | G> {
    const { logs, readLimit } = this.#options;
    const key = `${namespace} ${logs.keyOf(position)}`;
    return this.#reads.read(key, () => logs.read(namespace, position, readLimit));
  }

  /** Takes entries that this replica has committed, if they follow on the feed's end (`isNext`), and wakes the others. */
  offer(namespace: string, entries: readonly E[], isNext: (end: P, entry: E) => boolean): void {
    const running = this.#running.get(namespace);
    // First, so that the wake-up finds them in the feed.
    running?.feed.offer(entries, isNext);
    this.#options.signal.notify(this.#options.logs.channelOf(namespace), running?.wake);
  }

  /** Wakes the idle followers of all broadcasts, which then release what the rings have released. */
  tick(): void {
    for (const { broadcasts } of this.#running.values()) {
      for (const broadcast of Object.values(broadcasts)) broadcast.tick();
    }
  }

  /** Closes all feeds. Resolves when nothing is read any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#endPolls();
    await this.#polling;
    await Promise.allSettled(this.#followed.values());
    for (const [namespace, running] of this.#running) this.#release(namespace, running);
    await Promise.all(this.#closing);
  }

  async #start(namespace: string): Promise<FollowedLog<P, E, B>> {
    const { logs, broadcasts, signal, limits, readLimit, readBytes, onError } = this.#options;
    let feed: Feed<P, E> | null = null;
    let isWokenEarly = false;
    const wake = () => {
      if (feed === null) isWokenEarly = true;
      else feed.wake();
    };
    // Before the first read: what is committed while the store answers is not in the answer.
    const unsubscribe = signal.subscribe(logs.channelOf(namespace), wake);
    try {
      const log = {
        read: async (position: P, limit: number) => {
          const read = await logs.read(namespace, position, limit);
          return Array.isArray(read) ? read : null;
        },
        begin: async () => logs.beginAt(await this.head(namespace), namespace),
        compare: (a: P, b: P) => logs.compare(a, b),
        sizeOf: (entry: E) => logs.sizeOf(entry),
      };
      const page = readBytes === undefined ? { readLimit } : { readLimit, readBytes };
      feed = await Feed.follow(log, { limits, ...page, onError });
    } catch (error) {
      unsubscribe();
      throw error;
    }
    if (isWokenEarly) feed.wake();
    const running: Running<P, E, B> = {
      feed,
      broadcasts: broadcasts(feed),
      users: 0,
      idlePolls: 0,
      wake,
      unsubscribe,
      touch: () => {
        running.idlePolls = 0;
      },
      use: () => {
        let isUsed = true;
        running.users += 1;
        return () => {
          if (!isUsed) return;
          isUsed = false;
          running.users -= 1;
          if (running.users > 0 || !logs.isBlank(running.feed.end)) return;
          if (this.#running.get(namespace) === running) this.#release(namespace, running);
        };
      },
    };
    this.#running.set(namespace, running);
    return running;
  }

  async #poll(): Promise<void> {
    for (const [namespace, running] of this.#running) {
      running.idlePolls = running.users > 0 ? 0 : running.idlePolls + 1;
      if (running.idlePolls > IDLE_POLLS) this.#release(namespace, running);
    }
    if (this.#running.size === 0) return;
    const { logs } = this.#options;
    const heads = await logs.heads([...this.#running.keys()]);
    for (const [namespace, { feed }] of this.#running) {
      const head = heads.get(namespace);
      if (head !== undefined && !logs.isAt(head, feed.end)) feed.wake();
    }
  }

  #release(namespace: string, { feed, unsubscribe }: Running<P, E, B>): void {
    unsubscribe();
    this.#running.delete(namespace);
    this.#followed.delete(namespace);
    const closing = feed.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
