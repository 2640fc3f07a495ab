// Distributes the entries of a feed to any number of followers. Followers that receive the same form an audience, and the
// items of an audience are computed once.
import { Alarm } from './alarm.ts';
import type { Feed } from './feed.ts';
import { type Entry, Ring } from './ring.ts';

/** What one kind of follower receives. */
export interface Projection<E, I> {
  /** Followers with equal keys receive the same items. */
  readonly key: string;
  /**
   * Maps an entry to the item that followers receive, or null to skip it. Must return the same object for the same entry, so
   * that its encoding is shared.
   */
  project(entry: E): I | null;
  /** Whether followers may receive entries of this route; called only when the broadcast has routes. Default: true. */
  accepts?(route: string): boolean;
}

export interface BroadcastOptions<E> {
  /** The property of an entry that decides which audiences receive it. Each audience is asked once per route, not per entry. */
  routeOf?: (entry: E) => string;
}

/** Reads the items of a projection at its own pace. */
export interface Follower<P, I> {
  /** Rings when there may be new items. */
  readonly alarm: Alarm;
  /**
   * At most `limit` items after `position`, in order; the item that reaches `maxBytes` is the last. There are no other items
   * up to `upTo`. Null when the feed's ring does not hold the entries after `position`: the follower was too slow, or started
   * from an old position, or the feed restarted.
   */
  after(position: P, limit: number, maxBytes?: number): Items<P, I> | null;
  leave(): void;
}

interface Items<P, I> {
  readonly items: readonly I[];
  /** The position up to which these are all items. */
  readonly upTo: P;
}

export interface FollowOptions<P, I> {
  signal: AbortSignal;
  /** Called whenever the follower has every item up to `position`. Returns an extra batch to send, or null to wait for items. */
  idle: (position: P) => readonly I[] | null;
  /** Called with each batch of items before it is handed out; followers of an audience are called with the same array. */
  handedOut?(this: void, items: readonly I[]): void;
}

/**
 * The most values in one batch; the value that reaches `BATCH_BYTES` is the last. A follower that does not read holds one batch
 * in its socket, and each slow follower may hold a batch that it does not share.
 */
const BATCH_VALUES = 128;
const BATCH_BYTES = 256 * 1024;
/** The most routes in memory. When there are more, all routes are dropped and computed again. */
const MAX_ROUTES = 20_000;

interface Projected<P, I> extends Entry<P> {
  readonly item: I;
}

interface Step<P, I> {
  batch: readonly I[];
  to: P;
}

/**
 * The followers with one projection key. Its ring holds the items of the entries in the feed's ring, beginning when the first
 * follower joined. It ends when the last follower has left, or when the feed restarts: it then holds nothing and takes no
 * follower, and the routes that still refer to it drop it at their next entry.
 */
class Audience<P, I> {
  readonly ring: Ring<P, Projected<P, I>>;
  readonly alarms = new Set<Alarm>();
  #hasEnded = false;
  /** Steps by the number of items that a follower has received. Cleared when the ring changes. */
  readonly #steps = new Map<number, Step<P, I>>();

  constructor(start: P, compare: (a: P, b: P) => number) {
    this.ring = new Ring(start, compare, { maxEntries: Infinity, maxBytes: Infinity });
  }

  append(position: P, item: I, bytes: number): void {
    this.ring.append({ position, item }, bytes);
    this.#steps.clear();
  }

  evictThrough(position: P): void {
    this.ring.evictThrough(position);
    this.#steps.clear();
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  end(): void {
    this.#hasEnded = true;
    this.evictThrough(this.ring.end);
  }

  /** The next batch after `position`; null when there is no item after it. */
  step(position: P): Step<P, I> | null {
    const receivedCount = this.ring.countThrough(position);
    const known = this.#steps.get(receivedCount);
    if (known !== undefined) return known;
    const projected = this.ring.after(position, BATCH_VALUES, BATCH_BYTES);
    const last = projected.at(-1);
    if (last === undefined) return null;
    const step = { batch: projected.map(({ item }) => item), to: last.position };
    this.#steps.set(receivedCount, step);
    return step;
  }

  wake(): void {
    for (const alarm of this.alarms) alarm.ring();
  }
}

/** An audience and its projection. */
interface Receiver<P, E, I> {
  readonly audience: Audience<P, I>;
  readonly projection: Projection<E, I>;
}

/** The receivers that accept the entries of a route, among the first `asked` receivers in the order in which they joined. */
interface Route<P, E, I> {
  receivers: Receiver<P, E, I>[];
  asked: number;
}

/** Followers pull. A follower that does not pull costs its cursor and nothing else. */
export class Broadcast<P, E extends Entry<P>, I> {
  readonly #feed: Feed<P, E>;
  readonly #routeOf: ((entry: E) => string) | undefined;
  readonly #audiences = new Map<string, Receiver<P, E, I>>();
  /** The receivers that were created since the routes were last dropped, in this order. */
  #joined: Receiver<P, E, I>[] = [];
  readonly #routes = new Map<string, Route<P, E, I>>();
  /** The end of the feed when all audiences last evicted what the feed's ring had evicted. */
  #tidyTo: P;

  constructor(feed: Feed<P, E>, { routeOf }: BroadcastOptions<E> = {}) {
    this.#feed = feed;
    this.#routeOf = routeOf;
    this.#tidyTo = feed.end;
    feed.onEntries((entries) => {
      if (entries === null) this.#restart();
      else this.#distribute(entries);
    });
  }

  get feed(): Feed<P, E> {
    return this.#feed;
  }

  /** The number of followers. */
  get size(): number {
    return [...this.#audiences.values()].reduce((sum, { audience }) => sum + audience.alarms.size, 0);
  }

  /** Calls `idle` of the waiting followers, and evicts what the feed's ring has evicted. */
  tick(): void {
    this.#tidy();
    for (const { audience } of this.#audiences.values()) audience.wake();
  }

  /** Adds a follower. It stays until its `leave` is called. */
  join(projection: Projection<E, I>): Follower<P, I> {
    const { ring } = this.#feed;
    const { audience, alarm, leave } = this.#enter(projection);
    return {
      alarm,
      leave,
      after: (position, limit, maxBytes = Infinity) => {
        if (this.#feed.ring !== ring) return null;
        if (!audience.ring.reaches(position)) return this.#before(projection, position, { limit, maxBytes });
        const projected = audience.ring.after(position, limit, maxBytes);
        const last = projected.at(-1)?.position ?? position;
        const isMore = audience.ring.countThrough(last) < audience.ring.countThrough(audience.ring.end);
        return { items: projected.map(({ item }) => item), upTo: isMore ? last : this.#later(last) };
      },
    };
  }

  /**
   * The items after `start`, in batches that all followers of an audience share. Ends, with the position that it has reached,
   * when `signal` aborts, when the feed's ring does not hold what follows (the follower was too slow, or started from an old
   * position), or when the feed restarted or was closed.
   */
  async *follow(
    projection: Projection<E, I>,
    start: P,
    { signal, idle, handedOut }: FollowOptions<P, I>,
  ): AsyncGenerator<readonly I[], P, undefined> {
    const { ring } = this.#feed;
    const { audience, alarm, leave } = this.#enter(projection);
    const wake = () => alarm.ring();
    signal.addEventListener('abort', wake);
    let position = start;
    try {
      while (!signal.aborted && !this.#feed.closed && this.#feed.ring === ring) {
        if (!audience.ring.reaches(position)) {
          const before = this.#before(projection, position, { limit: BATCH_VALUES, maxBytes: BATCH_BYTES });
          if (before === null) break;
          position = before.upTo;
          if (before.items.length > 0) {
            handedOut?.(before.items);
            yield before.items;
          }
          continue;
        }
        const step = audience.step(position);
        if (step !== null) {
          position = step.to;
          handedOut?.(step.batch);
          yield step.batch;
          continue;
        }
        position = this.#later(position);
        const extra = idle(position);
        if (extra === null) await alarm.wait();
        else yield extra;
      }
      return position;
    } finally {
      signal.removeEventListener('abort', wake);
      leave();
    }
  }

  /** Items of entries that the feed's ring held before the audience was created. They are not shared, and seldom needed. */
  #before(
    projection: Projection<E, I>,
    position: P,
    { limit, maxBytes }: { limit: number; maxBytes: number },
  ): Items<P, I> | null {
    const { ring } = this.#feed;
    if (!ring.reaches(position)) return null;
    const items: I[] = [];
    let bytes = 0;
    let upTo = position;
    for (;;) {
      const entries = ring.after(upTo, BATCH_VALUES);
      for (const entry of entries) {
        upTo = entry.position;
        const item = projection.project(entry);
        if (item === null) continue;
        bytes += this.#feed.sizeOf(entry);
        if (items.push(item) === limit || bytes >= maxBytes) return { items, upTo };
      }
      if (entries.length < BATCH_VALUES) return { items, upTo: this.#later(upTo) };
    }
  }

  /** The later of `position` and the feed's end. A follower that starts from a position of the store can be ahead of the feed. */
  #later(position: P): P {
    const { end } = this.#feed;
    return this.#feed.compare(end, position) > 0 ? end : position;
  }

  #enter(projection: Projection<E, I>): { audience: Audience<P, I>; alarm: Alarm; leave: () => void } {
    const audience = this.#audienceOf(projection);
    const alarm = new Alarm();
    audience.alarms.add(alarm);
    const leave = () => {
      audience.alarms.delete(alarm);
      if (audience.alarms.size === 0) this.#dissolve(projection.key, audience);
    };
    return { audience, alarm, leave };
  }

  #audienceOf(projection: Projection<E, I>): Audience<P, I> {
    const known = this.#audiences.get(projection.key);
    if (known !== undefined) return known.audience;
    const audience = new Audience<P, I>(this.#feed.end, (a, b) => this.#feed.compare(a, b));
    const receiver = { audience, projection };
    this.#audiences.set(projection.key, receiver);
    this.#joined.push(receiver);
    return audience;
  }

  #dissolve(key: string, audience: Audience<P, I>): void {
    if (this.#audiences.get(key)?.audience !== audience) return;
    this.#audiences.delete(key);
    audience.end();
    if (this.#joined.length > 2 * this.#audiences.size + 16) this.#dropRoutes();
  }

  #dropRoutes(): void {
    this.#routes.clear();
    this.#joined = [...this.#audiences.values()];
  }

  /** Ends every audience: its followers continue from the log. */
  #restart(): void {
    const ended = [...this.#audiences.values()];
    this.#audiences.clear();
    this.#dropRoutes();
    this.#tidyTo = this.#feed.end;
    for (const { audience } of ended) {
      audience.end();
      audience.wake();
    }
  }

  #distribute(entries: readonly E[]): void {
    const changed = new Set<Audience<P, I>>();
    for (const entry of entries) {
      const bytes = this.#feed.sizeOf(entry);
      for (const { audience, projection } of this.#receiversOf(entry)) {
        const item = projection.project(entry);
        if (item === null) continue;
        audience.append(entry.position, item, bytes);
        changed.add(audience);
      }
    }
    const { start } = this.#feed.ring;
    for (const audience of changed) {
      audience.evictThrough(start);
      audience.wake();
    }
    // An audience without new items holds at most the items of one further ring.
    if (this.#feed.compare(start, this.#tidyTo) > 0) this.#tidy();
  }

  #tidy(): void {
    this.#tidyTo = this.#feed.end;
    for (const { audience } of this.#audiences.values()) audience.evictThrough(this.#feed.ring.start);
  }

  /** Each receiver is asked once whether it accepts a route. */
  #receiversOf(entry: E): Iterable<Receiver<P, E, I>> {
    if (this.#routeOf === undefined) return this.#audiences.values();
    const route = this.#routeOf(entry);
    let known = this.#routes.get(route);
    if (known === undefined) {
      if (this.#routes.size >= MAX_ROUTES) this.#dropRoutes();
      this.#routes.set(route, (known = { receivers: [], asked: 0 }));
    }
    if (known.receivers.some(({ audience }) => audience.hasEnded)) {
      known.receivers = known.receivers.filter(({ audience }) => !audience.hasEnded);
    }
    for (; known.asked < this.#joined.length; known.asked += 1) {
      const receiver = this.#joined[known.asked];
      if (receiver === undefined || receiver.audience.hasEnded) continue;
      if (receiver.projection.accepts?.(route) ?? true) known.receivers.push(receiver);
    }
    return known.receivers;
  }
}
