// The port to where events are kept: one log for each namespace.
import type { GapReason } from '@hypercode/contracts';
import { isSamePosition, type LogPosition } from './position.ts';

export interface Retention {
  /** Most events kept in a namespace. */
  maxEvents: number;
  /** Most bytes of events kept in a namespace, as `text` has them in UTF-8. */
  maxBytes: number;
  /** How long events are kept, in milliseconds. */
  maxAgeMs: number;
}

export interface LogSettings {
  retention: Retention;
  /** How long an event that is published again is recognised, in milliseconds. */
  dedupWindowMs: number;
  /** Whether the ids of events are put into an index. Default: true. */
  eventIndex?: boolean;
}

/** An event on its way into the log. */
export interface NewEvent {
  /** A UUID in lower case. With `source`, the key of deduplication. */
  readonly id: string;
  readonly source: string;
  readonly topic: string;
  /** The whole event as JSON, as subscribers receive it. The log does not parse it. */
  readonly text: string;
}

export interface Appended {
  /** Of a duplicate: where the first one stands, or stood. */
  readonly position: LogPosition;
  readonly duplicate: boolean;
  /** Where the log ended before the event; of one that was added. */
  readonly before?: LogPosition;
  /** When, in milliseconds since the epoch on the store's clock; of one that was added. */
  readonly appendedAtMs?: number;
}

/** What deduplication remembers of an event. */
export interface RememberedEvent {
  readonly position: LogPosition;
  /** How often it was published again. A release before this one does not count. */
  readonly duplicates: number;
}

/** An event in the log. */
export interface LogEntry {
  readonly position: LogPosition;
  /** On the store's clock, in milliseconds since the epoch; null: it was appended by a release that kept no time. */
  readonly appendedAtMs: number | null;
  readonly topic: string;
  readonly text: string;
}

export interface LogRange {
  /** Everything after it is kept: the last event that was removed or spared, or the beginning. */
  readonly horizon: LogPosition;
  /** Before the first event that is kept, when retention spared events up to the horizon; gaps may lie between them. */
  readonly oldest?: LogPosition;
  /** The newest event, or the horizon when there is none. */
  readonly head: LogPosition;
}

/** How much a log keeps, and how much it kept before and has removed. */
export interface LogSize {
  readonly kept: number;
  readonly removed: number;
  /** Of the texts, as UTF-8. */
  readonly keptBytes: number;
  readonly removedBytes: number;
}

export interface LogGap {
  readonly gap: GapReason;
  /** How the log stands now. */
  readonly range: LogRange;
  /** Where one can go on, when that is not the horizon: retention spared an event after it. */
  readonly resumeAt?: LogPosition;
}

/** A page of the log, newest first. */
export interface LogPageBack {
  readonly entries: readonly LogEntry[];
  /** Whether nothing is kept before its last entry. */
  readonly end: boolean;
}

/** What the index of ids has of one id. */
export interface IdHits {
  /** Newest first. */
  readonly entries: readonly LogEntry[];
  /** The `before` to go on with; null: the index has no more. */
  readonly next: number | null;
  /** The newest event that is kept and is not in the index, nor is any before it; null: all are in it. */
  readonly unindexed: LogPosition | null;
}

/** Where reading everything begins. */
export const oldestOf = ({ oldest, horizon }: LogRange): LogPosition => oldest ?? horizon;

/** Where one can go on after a gap. */
export const resumeOf = ({ resumeAt, range }: LogGap): LogPosition => resumeAt ?? range.horizon;

export const withOldest = (range: LogRange, oldest: LogPosition): LogRange =>
  isSamePosition(oldest, range.horizon) ? range : { ...range, oldest };

export const withResume = (gap: LogGap, resumeAt: LogPosition): LogGap =>
  isSamePosition(resumeAt, gap.range.horizon) ? gap : { ...gap, resumeAt };

export interface TopicCount {
  readonly topic: string;
  /** Events since the topic was first used. */
  readonly count: number;
  /** Events a second, over the last minute. */
  readonly perSecond: number;
  readonly last: LogPosition;
}

/**
 * Every method rejects with UNAVAILABLE within two seconds when the store does not answer; whether a write was done is then
 * unknown, and nothing of it is sent again later.
 *
 * A log begins with its first append or group, which makes its epoch. Before that it is empty, and reading it leaves nothing in the
 * store: its range is `UNBEGUN` at both ends. `UNBEGUN` is a position of every log, where it began: what follows it is the first
 * event, or a gap of `retention` when that was removed. So a reader that came before the first event misses none.
 */
export interface EventLog {
  readonly retention: Retention;
  /**
   * Adds events in their order, as one atomic step with their deduplication: an event whose `source` and `id` were appended
   * less than the window ago is not added again, also not twice within one call. Applies retention as it goes. `events` has 1
   * to 1,000. While one source has more than a quarter of what was published lately, and others have less, retention by count and
   * bytes spares the events of the others, up to three quarters of the limits: one source does not push them out.
   */
  append(namespace: string, events: readonly NewEvent[]): Promise<Appended[]>;
  /**
   * At most `limit` events after the position `after`, in order, without a hole; fewer than that only at the end of the log, when they
   * come to more than about 1 MiB, or up to the horizon, where events are missing after the last one. A gap when they cannot be given: `retention` when `after` is before the horizon, `log_lost`
   * when it is from another log, beyond the head, or an event stands there that is not the one that the position was given for.
   */
  read(namespace: string, after: LogPosition, limit: number): Promise<LogEntry[] | LogGap>;
  /**
   * The event at the position `at`. A gap when it cannot be given: `retention` when it was removed, `log_lost` when the
   * position is from another log, beyond the head, or of another event.
   */
  event(namespace: string, at: LogPosition): Promise<LogEntry | LogGap>;
  /**
   * Where reading begins that skips no event appended at or after `timeMs` (since the epoch, on the store's clock). It may begin
   * earlier: by as much as retention counts ages, for events of a release before this one, which kept no time. The head when there
   * is no such event. With `untimed` "before" it is at least as far as the last event that was appended before `timeMs`: those that
   * kept no time count as earlier, and not as later.
   */
  positionBefore(namespace: string, timeMs: number, untimed?: 'before' | 'after'): Promise<LogPosition>;
  /**
   * The event at the position `upTo` and those before it, newest first; null: from the head on. At most `limit`, and no more after
   * they come to about 1 MiB. Events that retention removed, `upTo` included, are left out. A gap of `log_lost` when `upTo` is from another log,
   * beyond the head, or of another event.
   */
  readBack(namespace: string, upTo: LogPosition | null, limit: number): Promise<LogPageBack | LogGap>;
  /**
   * The events with `id`, a UUID in lower case, that are kept and in the index: at most `limit` of them, and no more after they
   * come to about 1 MiB. `before`: of positions whose `seq` is less.
   */
  find(namespace: string, id: string, page: { before: number | null; limit: number }): Promise<IdHits>;
  /** What deduplication remembers of an event that was appended less than the window ago; null when it does not know it. */
  remembered(namespace: string, event: Pick<NewEvent, 'id' | 'source'>): Promise<RememberedEvent | null>;
  /** How the logs stand. */
  ranges(namespaces: readonly string[]): Promise<Map<string, LogRange>>;
  size(namespace: string): Promise<LogSize>;
  /** Topics in name order, after `after`. A topic is dropped some time after retention has removed its last event. */
  topics(namespace: string, page: { after: string | null; limit: number }): Promise<TopicCount[]>;
}
