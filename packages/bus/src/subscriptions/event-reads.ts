// Reading events without following them: by pages, and by position.
import { invalidField, type ReadInput, type ReadResult, SwarmError, type SwarmEvent } from '@hypercode/contracts';
import { type EventLog, type LogGap, type LogRange, oldestOf, resumeOf } from '../store/event-log.ts';
import { formatPosition, type LogPosition, positionIn } from '../store/position.ts';
import type { EventFeeds } from './event-feeds.ts';

/** Pages of the log that one `read` searches: a caller that looks for rare events must not keep the store busy. */
const MAX_READ_PAGES = 10;
/** Of events, as JSON, after which the answer to a `read` ends. */
const MAX_READ_BYTES = 4 * 1024 * 1024;

export class EventReads {
  readonly #log: Pick<EventLog, 'event'>;
  readonly #feeds: Pick<EventFeeds, 'head' | 'read' | 'isLastPage'>;

  constructor(log: Pick<EventLog, 'event'>, feeds: Pick<EventFeeds, 'head' | 'read' | 'isLastPage'>) {
    this.#log = log;
    this.#feeds = feeds;
  }

  /**
   * A page of events; empty, and with a `next` that moves, when none was among those that were searched; shorter than
   * `limit` when they come to about 4 MiB, or are rare. `next` is where to go on, and `end` whether all was searched that
   * the log had when the call began. ACL_DENIED;
   * COMPACTED for a position after which events were removed.
   */
  async read(
    { namespace, after, at, limit }: Omit<ReadInput, 'topics'>,
    passes: (topic: string) => boolean,
  ): Promise<ReadResult> {
    if (at !== undefined) {
      if (after !== undefined) throw invalidField('at', 'cannot be given together with `after`');
      return this.#readOne(namespace, positionIn(at, 'at'), passes);
    }
    const start = after === undefined ? null : positionIn(after, 'after');
    const range = await this.#feeds.head(namespace);
    let position = start ?? oldestOf(range);
    const events: ReadResult['events'] = [];
    let bytes = 0;
    let end = false;
    const isFull = () => events.length === limit || bytes >= MAX_READ_BYTES;
    for (let pages = 0; pages < MAX_READ_PAGES && !end && !isFull(); pages += 1) {
      const read = await this.#feeds.read(namespace, position);
      if (!Array.isArray(read)) {
        // Between events that retention spared, others were missing before this call.
        const wasMissing = position !== start && resumeOf(read).seq <= range.horizon.seq;
        // Retention removed events meanwhile: the next call is refused, unless it does not matter where to begin.
        if (!wasMissing && events.length > 0) break;
        if (wasMissing || start === null) {
          position = resumeOf(read);
          continue;
        }
        throw compacted('the events after this position are', read);
      }
      let searched = 0;
      for (const entry of read) {
        if (isFull()) break;
        searched += 1;
        position = entry.position;
        if (!passes(entry.topic)) continue;
        bytes += Buffer.byteLength(entry.text);
        events.push({ position: formatPosition(entry.position), event: JSON.parse(entry.text) as SwarmEvent });
      }
      // Up to the horizon a page also ends where events are missing.
      end = searched === read.length && this.#feeds.isLastPage(read) && position.seq >= range.horizon.seq;
    }
    return { events, next: formatPosition(await this.#afterMissing(namespace, position, range)), end };
  }

  /** The position itself; where events were missing after it when the call began, the position after these. */
  async #afterMissing(namespace: string, position: LogPosition, { oldest, horizon }: LogRange): Promise<LogPosition> {
    if (oldest === undefined || position.seq >= horizon.seq) return position;
    const read = await this.#feeds.read(namespace, position);
    return Array.isArray(read) || resumeOf(read).seq > horizon.seq ? position : resumeOf(read);
  }

  /** The event at a position; none when its topic does not pass. Rejects with COMPACTED when it is no longer kept. */
  async #readOne(namespace: string, at: LogPosition, passes: (topic: string) => boolean): Promise<ReadResult> {
    const found = await this.#log.event(namespace, at);
    if ('gap' in found) throw compacted('the event at this position is', found);
    const next = formatPosition(at);
    if (!passes(found.topic)) return { events: [], next, end: true };
    return { events: [{ position: next, event: JSON.parse(found.text) as SwarmEvent }], next, end: true };
  }
}

const compacted = (what: string, gap: LogGap): SwarmError =>
  new SwarmError('COMPACTED', `${what} no longer available (${gap.gap})`, {
    details: { reason: gap.gap, oldest: formatPosition(resumeOf(gap)) },
  });
