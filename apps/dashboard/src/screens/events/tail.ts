// The newest events of a namespace as they come, after a page of those before them: none missing in between, none twice.
//
//   opening ──> live            the stream was attached, and a page before its position was read
//      live ──> interrupted     it is resumed by itself, where it was
//      live ──> held            a person reads on; new events are counted and kept, and shown with `release`
import type { SwarmClient, SwarmError } from '@hypercode/client';
import { type Clock, systemClock } from '@hypercode/clock';
import { type LoggedEvent, type ReadResult, SwarmError as Refusal } from '@hypercode/contracts';
import type { FeedState } from '../../swarm/feed-state.ts';
import { Store } from '../../swarm/store.ts';
import { type EventFilterSearch, isPast, isWanted, readInput } from './event-filter.ts';
import type { Where } from './where.ts';

export interface TailView {
  readonly feed: FeedState;
  /** The newest first. */
  readonly events: readonly LoggedEvent[];
  /** Came while the list was held. */
  readonly held: number;
  /** Events a second, over the last two seconds. */
  readonly perSecond: number;
  /** Where older events can be read on; null when there are none. */
  readonly older: string | null;
  readonly isReadingOlder: boolean;
}

/** Before anything has come. */
export const NO_TAIL: TailView = {
  feed: { state: 'opening' },
  events: [],
  held: 0,
  perSecond: 0,
  older: null,
  isReadingOlder: false,
};

/** Older ones are read again when they are wanted. */
const MAX_EVENTS = 2000;
const PAGE = 100;
const DRAW_MS = 250;
const RATE_MS = 2000;

/** A page that has found this many is shown; a rare one is searched on in at most so many pages. */
const ENOUGH = 20;
const PAGES_AT_ONCE = 10;

export interface TailOptions {
  readonly client: SwarmClient;
  readonly filter: EventFilterSearch;
  /** Of the data of an event. Default: all. */
  readonly where?: Where;
  readonly clock?: Clock;
}

export class Tail {
  readonly view = new Store<TailView>(NO_TAIL);
  readonly #client: SwarmClient;
  readonly #filter: EventFilterSearch;
  readonly #where: Where;
  readonly #clock: Clock;
  readonly #end = new AbortController();
  /** Not shown yet, the oldest first. */
  #fresh: LoggedEvent[] = [];
  #isHeld = false;
  #counted: { readonly atMs: number; readonly count: number }[] = [];
  #cancelDraw = (): void => {};

  constructor({ client, filter, where = () => true, clock = systemClock }: TailOptions) {
    this.#client = client;
    this.#filter = filter;
    this.#where = where;
    this.#clock = clock;
    void this.#run();
    this.#draw();
  }

  close(): void {
    this.#end.abort();
    this.#cancelDraw();
  }

  /** Keeps the list as it is, until `release`. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
  }

  async readOlder(): Promise<void> {
    const { older, isReadingOlder } = this.view.get();
    if (older === null || isReadingOlder) return;
    this.#set({ isReadingOlder: true });
    try {
      const page = await this.#read(older);
      this.#set({ events: [...this.view.get().events, ...page.events], older: page.older });
    } catch (error) {
      if (!this.#end.signal.aborted) this.#set({ feed: { state: 'refused', reason: Refusal.from(error).message } });
    } finally {
      this.#set({ isReadingOlder: false });
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    const onInterruption = (error: SwarmError): void => {
      const { feed } = this.view.get();
      const sinceMs = feed.state === 'interrupted' ? feed.sinceMs : this.#clock.epochMs();
      this.#set({ feed: { state: 'interrupted', sinceMs, reason: error.message } });
    };
    try {
      if (isPast(this.#filter)) return await this.#readFirst();
      const topics = [this.#filter.topic ?? '>'];
      let isFirst = true;
      for await (const item of this.#client.subscribe({ topics, signal, onInterruption })) {
        // What is appended from here on comes as an event, so the page before it leaves no hole.
        if (isFirst) await this.#readFirst();
        isFirst = false;
        if (this.view.get().feed.state !== 'live') this.#set({ feed: { state: 'live' } });
        if (item.type !== 'event') continue;
        const logged = { position: item.position, appendedAt: null, event: item.event };
        if (!isWanted(this.#filter, logged) || !this.#where(item.event.data)) continue;
        this.#fresh.push(logged);
        if (this.#fresh.length > MAX_EVENTS) this.#fresh.splice(0, this.#fresh.length - MAX_EVENTS);
        this.#count();
      }
    } catch (error) {
      if (!signal.aborted) this.#set({ feed: { state: 'refused', reason: Refusal.from(error).message } });
    }
  }

  async #readFirst(): Promise<void> {
    const { events, older } = await this.#read(null);
    this.#set({ feed: { state: 'live' }, events, older });
  }

  /** Events before a position, the newest first, and where to read on. */
  async #read(
    before: string | null,
  ): Promise<{ readonly events: readonly LoggedEvent[]; readonly older: string | null }> {
    const { signal } = this.#end;
    const filter = readInput(this.#filter);
    if (this.#filter.at !== undefined) {
      const { events } = await this.#client.bus.read(filter, { signal });
      return { events: events.filter(({ event }) => this.#where(event.data)), older: null };
    }
    const found: LoggedEvent[] = [];
    let older = before;
    for (let page = 0; page < PAGES_AT_ONCE; page += 1) {
      const from = older === null ? {} : { before: older };
      const read: ReadResult = await this.#client.bus.read(
        { ...filter, ...from, order: 'newest', limit: PAGE },
        { signal },
      );
      found.push(...read.events.filter(({ event }) => this.#where(event.data)));
      if (read.end) return { events: found, older: null };
      older = read.next;
      if (found.length >= ENOUGH) break;
    }
    return { events: found, older };
  }

  #count(): void {
    const atMs = this.#clock.monotonicMs();
    const last = this.#counted.at(-1);
    if (last !== undefined && atMs - last.atMs < DRAW_MS)
      this.#counted[this.#counted.length - 1] = { ...last, count: last.count + 1 };
    else this.#counted.push({ atMs, count: 1 });
  }

  #draw(): void {
    const before = this.view.get();
    const now = this.#clock.monotonicMs();
    this.#counted = this.#counted.filter(({ atMs }) => now - atMs < RATE_MS);
    const perSecond = this.#counted.reduce((sum, { count }) => sum + count, 0) / (RATE_MS / 1000);
    if (this.#isHeld) {
      if (before.held !== this.#fresh.length || before.perSecond !== perSecond)
        this.#set({ held: this.#fresh.length, perSecond });
    } else if (this.#fresh.length > 0 || before.held > 0) {
      const known = new Set(before.events.slice(0, PAGE).map(({ position }) => position));
      const fresh = this.#fresh.filter(({ position }) => !known.has(position)).toReversed();
      this.#fresh = [];
      const events = [...fresh, ...before.events];
      const isCut = events.length > MAX_EVENTS;
      const older = isCut ? (events[MAX_EVENTS - 1]?.position ?? null) : before.older;
      this.#set({ events: isCut ? events.slice(0, MAX_EVENTS) : events, older, held: 0, perSecond });
    } else if (before.perSecond !== perSecond) this.#set({ perSecond });
    this.#cancelDraw = this.#clock.schedule(DRAW_MS, () => this.#draw());
  }

  #set(change: Partial<TailView>): void {
    if (!this.#end.signal.aborted) this.view.set({ ...this.view.get(), ...change });
  }
}
