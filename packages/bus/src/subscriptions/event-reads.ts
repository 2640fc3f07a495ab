// Reading events without following them: by pages in both orders, and by position.
import { invalidField, type ReadInput, type ReadResult, SwarmError } from '@hypercode/contracts';
import { type EventLog, type LogGap, type LogRange, oldestOf, resumeOf } from '../store/event-log.ts';
import { comparePositions, formatPosition, isUnbegun, type LogPosition, positionIn } from '../store/position.ts';
import { AnswerPage } from './answer-page.ts';
import type { EventFeeds } from './event-feeds.ts';
import { type Answering, answering } from './read-filter.ts';
import { searchBack } from './search-back.ts';

/** Pages of the log that one `read` searches: a caller that looks for rare events must not keep the store busy. */
const MAX_READ_PAGES = 10;

type Log = Pick<EventLog, 'event' | 'read' | 'readBack' | 'positionBefore'>;
/** What a page is read by, beside the topics. */
export type Reading = Omit<ReadInput, 'topics'>;

export class EventReads {
  readonly #log: Log;
  readonly #feeds: Pick<EventFeeds, 'head' | 'read'>;

  constructor(log: Log, feeds: Pick<EventFeeds, 'head' | 'read'>) {
    this.#log = log;
    this.#feeds = feeds;
  }

  /**
   * A page of events; empty, and with a `next` that moves, when none was among those that were searched; shorter than
   * `limit` when they come to about 4 MiB, or are rare. `next` is where to go on, and `end` whether all was searched that
   * the log had when the call began. `goesOn` is asked before each further part of the log. ACL_DENIED; COMPACTED for a position after which
   * events were removed, or from a log that was lost.
   */
  async read(
    reading: Reading,
    passes: (topic: string) => boolean,
    goesOn: () => boolean = () => true,
  ): Promise<ReadResult> {
    const { namespace, order, at, limit } = reading;
    const answer = answering(reading, passes);
    if (at !== undefined) {
      for (const field of ['order', 'after', 'before', 'since', 'until'] as const) {
        if (reading[field] !== undefined) throw invalidField('at', `cannot be given together with \`${field}\``);
      }
      return this.#readOne(namespace, positionIn(at, 'at'), answer);
    }
    const page = new AnswerPage(limit, answer);
    return order === 'newest' ? this.#readNewest(reading, page, goesOn) : this.#readOldest(reading, page, goesOn);
  }

  async #readOldest(
    { namespace, after, before, since, until }: Reading,
    page: AnswerPage,
    goesOn: () => boolean,
  ): Promise<ReadResult> {
    const given = after === undefined ? null : positionIn(after, 'after');
    const range = await this.#feeds.head(namespace);
    const isOver = overBound(before === undefined ? null : boundIn(before, range), until);
    const sinceAt = since === undefined ? null : await this.#log.positionBefore(namespace, Date.parse(since));
    const isLater = sinceAt !== null && (given === null || comparePositions(sinceAt, given) > 0);
    /** After which no event may be missing. */
    const start = isLater ? null : given;
    let position = (isLater ? sinceAt : given) ?? oldestOf(range);
    let end = false;
    for (let pages = 0; pages < MAX_READ_PAGES && !end && !page.isFull; pages += 1) {
      if (pages > 0 && !goesOn()) break;
      const read = await this.#feeds.read(namespace, position);
      if (!Array.isArray(read)) {
        // Between events that retention spared, others were missing before this call.
        const wasMissing = position !== start && resumeOf(read).seq <= range.horizon.seq;
        // Retention removed events meanwhile: the next call is refused, unless it does not matter where to begin.
        if (!wasMissing && page.events.length > 0) break;
        if (wasMissing || start === null) {
          position = resumeOf(read);
          continue;
        }
        throw compacted('the events after this position are', read);
      }
      let searched = 0;
      for (const entry of read) {
        if (page.isFull) break;
        if (isOver(entry)) return { events: page.events, next: formatPosition(position), end: true };
        searched += 1;
        position = entry.position;
        page.take(entry);
      }
      // A page that is short says nothing: up to the horizon, which moves meanwhile, it also ends where events are missing.
      end = searched === read.length && position.seq >= range.head.seq;
    }
    return { events: page.events, next: formatPosition(await this.#afterMissing(namespace, position, range)), end };
  }

  async #readNewest(
    { namespace, after, before, since, until, limit }: Reading,
    page: AnswerPage,
    goesOn: () => boolean,
  ): Promise<ReadResult> {
    const given = before === undefined ? null : positionIn(before, 'before');
    const start = after === undefined ? null : positionIn(after, 'after');
    const { head } = await this.#feeds.head(namespace);
    if (start !== null) {
      const following = await this.#log.read(namespace, start, 1);
      if (!Array.isArray(following)) throw compacted('the events after this position are', following);
    }
    const untilAt = until === undefined ? null : await this.#log.positionBefore(namespace, Date.parse(until), 'before');
    const isEarlier = untilAt !== null && (given === null || comparePositions(untilAt, given) < 0);
    const from = isEarlier ? untilAt : given;
    const isOver = belowBound(start, since);
    let position = from ?? head;
    let isBelow = false;
    const searched = await searchBack(
      this.#log,
      namespace,
      { from, inclusive: isEarlier, maxPages: MAX_READ_PAGES, hoped: limit, goesOn },
      (entry) => {
        isBelow = isOver(entry);
        if (isBelow || page.isFull) return false;
        position = entry.position;
        page.take(entry);
        return true;
      },
    );
    if (typeof searched !== 'string') throw compacted('the events before this position are', searched);
    return { events: page.events, next: formatPosition(position), end: isBelow || searched === 'end' };
  }

  /** The position itself; where events were missing after it when the call began, the position after these. */
  async #afterMissing(namespace: string, position: LogPosition, { oldest, horizon }: LogRange): Promise<LogPosition> {
    if (oldest === undefined || position.seq >= horizon.seq) return position;
    const read = await this.#feeds.read(namespace, position);
    return Array.isArray(read) || resumeOf(read).seq > horizon.seq ? position : resumeOf(read);
  }

  /** The event at a position; none when it does not pass. Rejects with COMPACTED when it is no longer kept. */
  async #readOne(namespace: string, at: LogPosition, answer: Answering): Promise<ReadResult> {
    const found = await this.#log.event(namespace, at);
    if ('gap' in found) throw compacted('the event at this position is', found);
    const event = answer(found);
    return { events: event === null ? [] : [event], next: formatPosition(at), end: true };
  }
}

type Bound = (entry: { readonly position: LogPosition; readonly appendedAtMs: number | null }) => boolean;

/** Whether an entry stands at or after `before`, or was appended at or after `until`. */
function overBound(before: LogPosition | null, until: string | undefined): Bound {
  const untilMs = until === undefined ? Infinity : Date.parse(until);
  return ({ position, appendedAtMs }) =>
    position.seq >= (before?.seq ?? Infinity) || (appendedAtMs !== null && appendedAtMs >= untilMs);
}

/** Whether an entry stands at or before `after`, or was appended before `since`. */
function belowBound(after: LogPosition | null, since: string | undefined): Bound {
  const sinceMs = since === undefined ? -Infinity : Date.parse(since);
  return ({ position, appendedAtMs }) =>
    position.seq <= (after?.seq ?? 0) || (appendedAtMs !== null && appendedAtMs < sinceMs);
}

/** COMPACTED for a position that the log does not have. */
function boundIn(before: string, range: LogRange): LogPosition {
  const position = positionIn(before, 'before');
  if (isUnbegun(position) || (position.epoch === range.head.epoch && position.seq <= range.head.seq)) return position;
  throw compacted('the events before this position are', { gap: 'log_lost', range });
}

const compacted = (what: string, gap: LogGap): SwarmError =>
  new SwarmError('COMPACTED', `${what} no longer available (${gap.gap})`, {
    details: { reason: gap.gap, oldest: formatPosition(resumeOf(gap)) },
  });
