// Appends to one namespace's log: what arrives while an append is under way goes into the next one together.
import { SwarmError } from '@hypercode/contracts';
import type { Appended, EventLog, NewEvent } from '../store/event-log.ts';

export interface AppendLaneOptions {
  log: Pick<EventLog, 'append'>;
  namespace: string;
  /** Told of every append that was done, before its callers are answered. */
  onAppended: (events: readonly NewEvent[], appended: readonly Appended[], ms: number) => void;
  /** Monotonic milliseconds. */
  monotonicNow: () => number;
}

/** Most events in one append, and about how many characters of them. */
const MAX_EVENTS = 1000;
const MAX_LENGTH = 4 * 1024 * 1024;
/** Appends under way at a time: while the store works on one, the next is on its way. */
const MAX_UNDER_WAY = 2;
/** A second append begins with at least so many events; fewer wait for the first to end, and for company. */
const MIN_OVERLAPPING = 64;
/** What may wait; more is refused at once. */
const MAX_WAITING_EVENTS = 50_000;
const MAX_WAITING_LENGTH = 128 * 1024 * 1024;

/** Events of one caller, appended together. */
interface Unit {
  readonly events: readonly NewEvent[];
  readonly length: number;
  readonly settle: (appended: Appended[]) => void;
  readonly fail: (error: unknown) => void;
}

/** Nothing waits for a store that does not answer: when an append fails for it, everything that waits fails with it. */
export class AppendLane {
  readonly #options: AppendLaneOptions;
  #waiting: Unit[] = [];
  #waitingEvents = 0;
  #waitingLength = 0;
  #underWay = 0;
  #scheduled = false;

  constructor(options: AppendLaneOptions) {
    this.#options = options;
  }

  /** Whether nothing is under way. */
  get idle(): boolean {
    return this.#underWay === 0 && this.#waiting.length === 0;
  }

  /** UNAVAILABLE when the store does not answer: whether the events are in the log is unknown then. RATE_LIMITED when too much waits. */
  append(events: readonly NewEvent[]): Promise<Appended[]> {
    const length = events.reduce((sum, { text }) => sum + text.length, 0);
    if (this.#waitingEvents + events.length > MAX_WAITING_EVENTS || this.#waitingLength + length > MAX_WAITING_LENGTH) {
      return Promise.reject(
        new SwarmError('RATE_LIMITED', 'too many events are waiting to be appended', { retryAfterMs: 1000 }),
      );
    }
    return new Promise((settle, fail) => {
      this.#waiting.push({ events, length, settle, fail });
      this.#waitingEvents += events.length;
      this.#waitingLength += length;
      if (this.#scheduled) return;
      this.#scheduled = true;
      // What arrives in the same turn of the event loop belongs together.
      setImmediate(() => {
        this.#scheduled = false;
        this.#pump();
      });
    });
  }

  #pump(): void {
    while (
      this.#waiting.length > 0 &&
      (this.#underWay === 0 || (this.#underWay < MAX_UNDER_WAY && this.#waitingEvents >= MIN_OVERLAPPING))
    ) {
      void this.#append(this.#take());
    }
  }

  #take(): Unit[] {
    let count = 0;
    let events = 0;
    let length = 0;
    for (const unit of this.#waiting) {
      const isFull = events + unit.events.length > MAX_EVENTS || length + unit.length > MAX_LENGTH;
      if (count > 0 && isFull) break;
      count += 1;
      events += unit.events.length;
      length += unit.length;
    }
    this.#waitingEvents -= events;
    this.#waitingLength -= length;
    return this.#waiting.splice(0, count);
  }

  async #append(units: Unit[]): Promise<void> {
    this.#underWay += 1;
    try {
      await this.#write(units);
    } catch (error) {
      const away = error instanceof SwarmError && error.code === 'UNAVAILABLE';
      if (away || units.length === 1) {
        for (const { fail } of units) fail(error);
        if (away) this.#failWaiting(error);
      } else {
        // One of them is bad, and deduplication makes it safe to try each by itself.
        await Promise.all(units.map((unit) => this.#write([unit]).catch(unit.fail)));
      }
    } finally {
      this.#underWay -= 1;
      this.#pump();
    }
  }

  async #write(units: Unit[]): Promise<void> {
    const { log, namespace, onAppended, monotonicNow } = this.#options;
    const [first] = units;
    const events = units.length === 1 && first !== undefined ? first.events : units.flatMap((unit) => unit.events);
    const startedAt = monotonicNow();
    const appended = await log.append(namespace, events);
    onAppended(events, appended, monotonicNow() - startedAt);
    let from = 0;
    for (const unit of units) {
      unit.settle(appended.slice(from, from + unit.events.length));
      from += unit.events.length;
    }
  }

  #failWaiting(error: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingEvents = 0;
    this.#waitingLength = 0;
    for (const { fail } of waiting) fail(error);
  }
}
