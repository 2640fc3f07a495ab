// Hands what a feed brings to any number of followers: who hears the same is an audience, and what an audience is told is
// computed once.
import { Alarm } from './alarm.ts';
import type { Feed } from './feed.ts';
import { type Entry, Ring } from './ring.ts';

/** What one kind of follower hears. */
export interface Projection<E, I> {
  /** Followers with equal keys hear the same. */
  readonly key: string;
  /** What is heard of an entry; null: nothing of it. The same object each time for the same thing. */
  project(entry: E): I | null;
  /** Whether entries of this route may be heard; only asked where the broadcast has routes. Default: they may. */
  hears?(route: string): boolean;
}

export interface BroadcastOptions<E> {
  /** What entries have in common that decides who hears them; it spares asking every audience about every entry. */
  routeOf?: (entry: E) => string;
}

/** One who hears what a projection lets through, at its own pace. */
export interface Follower<P, I> {
  /** Rings when there may be something to hear. */
  readonly alarm: Alarm;
  /**
   * At most `limit` of what is heard after `position`, in order, no more than what comes to `maxBytes`; nothing else is heard
   * up to `upTo`. Null when the feed's ring does not hold what follows: the follower was too slow, or came with an old
   * position, or the feed began anew.
   */
  after(position: P, limit: number, maxBytes?: number): { heard: readonly I[]; upTo: P } | null;
  leave(): void;
}

export interface FollowOptions<P, I> {
  signal: AbortSignal;
  /** Asked whenever the follower has everything up to `position`: a batch of its own to be sent, or null to wait for more. */
  idle: (position: P) => readonly I[] | null;
}

/**
 * Most values in one batch; the one with which they come to so many bytes is the last. A follower that does not read holds one
 * batch in its socket, and of those who dawdle each may hold another.
 */
const BATCH_VALUES = 128;
const BATCH_BYTES = 256 * 1024;
/** Routes remembered; when there are more, all are forgotten and asked for again. */
const MAX_ROUTES = 20_000;

interface Heard<P, I> extends Entry<P> {
  readonly item: I;
}

interface Step<P, I> {
  batch: readonly I[];
  to: P;
}

/** Followers who hear the same. Its ring holds what they hear of what the feed's ring holds, from when the first one came. */
class Audience<P, I> {
  readonly ring: Ring<P, Heard<P, I>>;
  readonly alarms = new Set<Alarm>();
  #isGone = false;
  /** Steps by how much followers have heard, until there is more to hear. */
  readonly #steps = new Map<number, Step<P, I>>();

  constructor(start: P, compare: (a: P, b: P) => number) {
    this.ring = new Ring(start, compare, { maxEntries: Infinity, maxBytes: Infinity });
  }

  hear(position: P, item: I, bytes: number): void {
    this.ring.append({ position, item }, bytes);
    this.#steps.clear();
  }

  letGoThrough(position: P): void {
    this.ring.evictThrough(position);
    this.#steps.clear();
  }

  /** Nobody is left in it, and nobody will join it: it holds nothing, however long a route remembers it. */
  get isGone(): boolean {
    return this.#isGone;
  }

  end(): void {
    this.#isGone = true;
    this.letGoThrough(this.ring.end);
  }

  /** Null when everything has been told. */
  step(position: P): Step<P, I> | null {
    const heardCount = this.ring.countThrough(position);
    const known = this.#steps.get(heardCount);
    if (known !== undefined) return known;
    const heard = this.ring.after(position, BATCH_VALUES, BATCH_BYTES);
    const last = heard.at(-1);
    if (last === undefined) return null;
    const step = { batch: heard.map(({ item }) => item), to: last.position };
    this.#steps.set(heardCount, step);
    return step;
  }

  wake(): void {
    for (const alarm of this.alarms) alarm.ring();
  }
}

/** An audience, and what it hears. */
interface Hearer<P, E, I> {
  readonly audience: Audience<P, I>;
  readonly projection: Projection<E, I>;
}

/** Who hears the entries of a route, of the first `asked` that have gathered. */
interface Route<P, E, I> {
  hearers: Hearer<P, E, I>[];
  asked: number;
}

/** A follower is pulled. One that is not pulled costs its cursor and nothing else. */
export class Broadcast<P, E extends Entry<P>, I> {
  readonly #feed: Feed<P, E>;
  readonly #routeOf: ((entry: E) => string) | undefined;
  readonly #audiences = new Map<string, Hearer<P, E, I>>();
  /** All that came together since the routes were last forgotten, in this order. */
  #gathered: Hearer<P, E, I>[] = [];
  readonly #routes = new Map<string, Route<P, E, I>>();
  /** Where the feed ended when all audiences last let go of what its ring had let go of. */
  #tidyTo: P;

  constructor(feed: Feed<P, E>, { routeOf }: BroadcastOptions<E> = {}) {
    this.#feed = feed;
    this.#routeOf = routeOf;
    this.#tidyTo = feed.end;
    feed.onEntries((entries) => {
      if (entries === null) this.#beginAnew();
      else this.#tell(entries);
    });
  }

  get feed(): Feed<P, E> {
    return this.#feed;
  }

  /** How many follow. */
  get size(): number {
    return [...this.#audiences.values()].reduce((sum, { audience }) => sum + audience.alarms.size, 0);
  }

  /** Asks the waiting followers for a batch of their own, and releases what the feed's ring has released. */
  tick(): void {
    this.#tidy();
    for (const { audience } of this.#audiences.values()) audience.wake();
  }

  /** Begins to listen. */
  join(projection: Projection<E, I>): Follower<P, I> {
    const { ring } = this.#feed;
    const { audience, alarm, leave } = this.#enter(projection);
    return {
      alarm,
      leave,
      after: (position, limit, maxBytes = Infinity) => {
        if (this.#feed.ring !== ring) return null;
        if (!audience.ring.reaches(position)) return this.#before(projection, position, { limit, maxBytes });
        const heard = audience.ring.after(position, limit, maxBytes);
        const last = heard.at(-1)?.position ?? position;
        const isMore = audience.ring.countThrough(last) < audience.ring.countThrough(audience.ring.end);
        return { heard: heard.map(({ item }) => item), upTo: isMore ? last : this.#later(last) };
      },
    };
  }

  /**
   * What is heard after `start`, in batches that all of an audience share. Ends with the position that it has come to when
   * `signal` aborts, when the feed's ring does not hold what follows (the follower was too slow, or came with an old
   * position), or when the feed began anew or was closed.
   */
  async *follow(
    projection: Projection<E, I>,
    start: P,
    { signal, idle }: FollowOptions<P, I>,
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
          if (before.heard.length > 0) yield before.heard;
          continue;
        }
        const step = audience.step(position);
        if (step !== null) {
          position = step.to;
          yield step.batch;
          continue;
        }
        position = this.#later(position);
        const said = idle(position);
        if (said === null) await alarm.wait();
        else yield said;
      }
      return position;
    } finally {
      signal.removeEventListener('abort', wake);
      leave();
    }
  }

  /** What the feed's ring held before the audience came together: not shared, and seldom wanted. */
  #before(
    projection: Projection<E, I>,
    position: P,
    { limit, maxBytes }: { limit: number; maxBytes: number },
  ): { heard: I[]; upTo: P } | null {
    const { ring } = this.#feed;
    if (!ring.reaches(position)) return null;
    const heard: I[] = [];
    let bytes = 0;
    let upTo = position;
    for (;;) {
      const entries = ring.after(upTo, BATCH_VALUES);
      for (const entry of entries) {
        upTo = entry.position;
        const item = projection.project(entry);
        if (item === null) continue;
        bytes += this.#feed.sizeOf(entry);
        if (heard.push(item) === limit || bytes >= maxBytes) return { heard, upTo };
      }
      if (entries.length < BATCH_VALUES) return { heard, upTo: this.#later(upTo) };
    }
  }

  /** The feed's end. A follower that begins with what the store has told it can be ahead of the feed. */
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
    const joined = this.#audiences.get(projection.key);
    if (joined !== undefined) return joined.audience;
    const audience = new Audience<P, I>(this.#feed.end, (a, b) => this.#feed.compare(a, b));
    const hearer = { audience, projection };
    this.#audiences.set(projection.key, hearer);
    this.#gathered.push(hearer);
    return audience;
  }

  #dissolve(key: string, audience: Audience<P, I>): void {
    if (this.#audiences.get(key)?.audience !== audience) return;
    this.#audiences.delete(key);
    audience.end();
    if (this.#gathered.length > 2 * this.#audiences.size + 16) this.#forgetRoutes();
  }

  #forgetRoutes(): void {
    this.#routes.clear();
    this.#gathered = [...this.#audiences.values()];
  }

  /** Every follower leaves, and finds its way by the log. */
  #beginAnew(): void {
    const left = [...this.#audiences.values()];
    this.#audiences.clear();
    this.#forgetRoutes();
    this.#tidyTo = this.#feed.end;
    for (const { audience } of left) {
      audience.end();
      audience.wake();
    }
  }

  #tell(entries: readonly E[]): void {
    const told = new Set<Audience<P, I>>();
    for (const entry of entries) {
      const bytes = this.#feed.sizeOf(entry);
      for (const { audience, projection } of this.#hearersOf(entry)) {
        const item = projection.project(entry);
        if (item === null) continue;
        audience.hear(entry.position, item, bytes);
        told.add(audience);
      }
    }
    const { start } = this.#feed.ring;
    for (const audience of told) {
      audience.letGoThrough(start);
      audience.wake();
    }
    // Those who hear nothing new hold at most what the ring held once more.
    if (this.#feed.compare(start, this.#tidyTo) > 0) this.#tidy();
  }

  #tidy(): void {
    this.#tidyTo = this.#feed.end;
    for (const { audience } of this.#audiences.values()) audience.letGoThrough(this.#feed.ring.start);
  }

  /** A route asks each audience once, when it first meets it. */
  #hearersOf(entry: E): Iterable<Hearer<P, E, I>> {
    if (this.#routeOf === undefined) return this.#audiences.values();
    const route = this.#routeOf(entry);
    let known = this.#routes.get(route);
    if (known === undefined) {
      if (this.#routes.size >= MAX_ROUTES) this.#forgetRoutes();
      this.#routes.set(route, (known = { hearers: [], asked: 0 }));
    }
    if (known.hearers.some(({ audience }) => audience.isGone)) {
      known.hearers = known.hearers.filter(({ audience }) => !audience.isGone);
    }
    for (; known.asked < this.#gathered.length; known.asked += 1) {
      const hearer = this.#gathered[known.asked];
      if (hearer === undefined || hearer.audience.isGone) continue;
      if (hearer.projection.hears?.(route) ?? true) known.hearers.push(hearer);
    }
    return known.hearers;
  }
}
