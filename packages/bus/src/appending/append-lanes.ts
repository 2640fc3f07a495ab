// Appends to the logs: what arrives while an append is under way goes into the next one together.
import { SwarmError } from '@hypercode/contracts';
import { BatchLanes, type Job } from '@hypercode/feed';
import type { Appended, EventLog, NewEvent } from '../store/event-log.ts';

/** One append that was done. */
export interface Append {
  readonly namespace: string;
  readonly events: readonly NewEvent[];
  /** The answer for each event. */
  readonly appended: readonly Appended[];
  readonly ms: number;
}

export interface AppendLanesOptions {
  log: Pick<EventLog, 'append'>;
  /** Called with every append that was done, before its callers are answered. */
  onAppended: (append: Append) => void;
  /** Monotonic milliseconds. */
  monotonicNow: () => number;
}

/** Most events in one append, and about how many characters of them. */
const MAX_APPEND = { count: 1000, length: 4 * 1024 * 1024 };
/** Most that waits in one namespace; more is refused at once. */
const MAX_WAITING = { count: 50_000, length: 128 * 1024 * 1024 };
/** A second append begins with at least so many events; fewer wait for the first to end, and for company. */
const MIN_OVERLAPPING = 64;

/** Events of one caller, appended together and in their order. */
type Unit = Job<readonly NewEvent[], Appended[]>;

/** A lane for each namespace. When the store does not answer, everything that waits fails: nothing is appended later. */
export class AppendLanes {
  readonly #options: AppendLanesOptions;
  readonly #lanes: BatchLanes<readonly NewEvent[], Appended[]>;

  constructor(options: AppendLanesOptions) {
    this.#options = options;
    this.#lanes = new BatchLanes({
      write: (namespace, units) => this.#append(namespace, units),
      weigh: (events) => ({
        count: events.length,
        length: events.reduce((sum, { text }) => sum + text.length, 0),
      }),
      maxBatch: MAX_APPEND,
      maxWaiting: MAX_WAITING,
      minOverlapping: MIN_OVERLAPPING,
      // Deduplication makes it safe to append the events of each caller again.
      scopeOf: (error) => (error instanceof SwarmError && error.code === 'UNAVAILABLE' ? 'lane' : 'item'),
    });
  }

  /** UNAVAILABLE when the store does not answer: whether the events are in the log is unknown then. RATE_LIMITED when too much waits. */
  append(namespace: string, events: readonly NewEvent[]): Promise<Appended[]> {
    return this.#lanes.submit(namespace, events);
  }

  async #append(namespace: string, units: readonly Unit[]): Promise<readonly Unit[]> {
    const { log, onAppended, monotonicNow } = this.#options;
    const [first] = units;
    const events = units.length === 1 && first !== undefined ? first.item : units.flatMap(({ item }) => item);
    const startedAt = monotonicNow();
    const appended = await log.append(namespace, events);
    onAppended({ namespace, events, appended, ms: monotonicNow() - startedAt });
    let from = 0;
    for (const unit of units) {
      unit.settle(appended.slice(from, from + unit.item.length));
      from += unit.item.length;
    }
    return [];
  }
}
