// The event log in PostgreSQL: a row for the log, which makes the order, and a row for each event.
import { SwarmError } from '@hypercode/contracts';
import {
  type Appended,
  type EventLog,
  type IdHits,
  type LogEntry,
  type LogGap,
  type LogPageBack,
  type LogRange,
  type LogSettings,
  type LogSize,
  type NewEvent,
  type RememberedEvent,
  type Retention,
  type TopicCount,
  withOldest,
  withResume,
} from '../store/event-log.ts';
import { isUnbegun, type LogPosition, UNBEGUN } from '../store/position.ts';
import type { BoundedDatabase } from './bounded-database.ts';
import { appendEvents } from './queries/append-events.ts';
import { findEvents, type IndexState } from './queries/find-events.ts';
import { findLogs } from './queries/find-logs.ts';
import { findPositionBefore } from './queries/find-position-before.ts';
import { findRemembered } from './queries/find-remembered.ts';
import { listTopics } from './queries/list-topics.ts';
import { readEvent } from './queries/read-event.ts';
import { type EventRow, type LogState, PAGE_BYTES, readEvents } from './queries/read-events.ts';
import { readEventsBack } from './queries/read-events-back.ts';
import type { PostgresRetention } from './postgres-retention.ts';

/** Removed rows that are worth a statement of their own. */
const SWEEP_FROM = 1_000;

export class PostgresLog implements EventLog {
  readonly #db: BoundedDatabase;
  readonly #settings: LogSettings;
  readonly #retention: PostgresRetention;

  constructor(db: BoundedDatabase, settings: LogSettings, { retention }: { retention: PostgresRetention }) {
    this.#db = db;
    this.#settings = settings;
    this.#retention = retention;
  }

  get retention(): Retention {
    return this.#settings.retention;
  }

  async append(namespace: string, events: readonly NewEvent[]): Promise<Appended[]> {
    const appended = await this.#db.ask((db) => appendEvents(db, namespace, { events, settings: this.#settings }));
    if (appended === undefined) throw new SwarmError('INTERNAL', 'the append returned no result');
    const { epoch, seqs, nonces, unswept, at_ms: appendedAtMs } = appended;
    if (unswept >= SWEEP_FROM) this.#retention.sweepSoon(namespace);
    const repeats = new Set(appended.repeats);
    let nonceBefore = appended.nonce_before;
    return seqs.map((seq, index) => {
      const position = { epoch, seq, nonce: nonces[index] ?? 0 };
      if (repeats.has(index + 1)) return { position, duplicate: true };
      const before = { epoch, seq: seq - 1, nonce: nonceBefore };
      nonceBefore = position.nonce;
      return { position, duplicate: false, before, appendedAtMs };
    });
  }

  async read(namespace: string, after: LogPosition, limit: number): Promise<LogEntry[] | LogGap> {
    const rows = await this.#db.ask((db) => readEvents(db, namespace, { after, limit }));
    const [log] = rows;
    if (log === undefined) return isUnbegun(after) ? [] : LOST;
    const state = JSON.parse(log.text) as LogState;
    const { gap, epoch } = state;
    if (gap !== null) {
      const range = rangeOf(state);
      return withResume({ gap, range }, { epoch, ...(state.resume ?? state.horizon) });
    }
    return entriesOf(rows, epoch);
  }

  async readBack(namespace: string, upTo: LogPosition | null, limit: number): Promise<LogPageBack | LogGap> {
    const rows = await this.#db.ask((db) => readEventsBack(db, namespace, { upTo, limit }));
    const [log] = rows;
    if (log === undefined) return upTo === null || isUnbegun(upTo) ? { entries: [], end: true } : LOST;
    const state = JSON.parse(log.text) as LogState;
    if (state.gap === 'log_lost') return { gap: 'log_lost', range: rangeOf(state) };
    const entries = entriesOf(rows, state.epoch);
    return { entries, end: !isFull(entries, limit) };
  }

  async find(namespace: string, id: string, page: { before: number | null; limit: number }): Promise<IdHits> {
    const rows = await this.#db.ask((db) => findEvents(db, namespace, { id, ...page }));
    const [index] = rows;
    if (index === undefined) return { entries: [], next: null, unindexed: null };
    const { epoch, unindexed } = JSON.parse(index.text) as IndexState;
    const entries = entriesOf(rows, epoch);
    const next = isFull(entries, page.limit) ? (entries.at(-1)?.position.seq ?? null) : null;
    return { entries, next, unindexed: unindexed === null ? null : { epoch, ...unindexed } };
  }

  async event(namespace: string, at: LogPosition): Promise<LogEntry | LogGap> {
    const found = await this.#db.ask((db) => readEvent(db, namespace, at));
    if (found === undefined) return isUnbegun(at) ? { ...LOST, gap: 'retention' } : LOST;
    const { log, event } = found;
    // The position of the horizon is one after which the log can be read, but its event was removed.
    if (log.gap !== null || event === null) return { gap: log.gap ?? 'retention', range: rangeOf(log) };
    return { position: at, ...event };
  }

  /** Here all events have a time. */
  async positionBefore(namespace: string, timeMs: number): Promise<LogPosition> {
    return (await this.#db.ask((db) => findPositionBefore(db, namespace, timeMs))) ?? UNBEGUN;
  }

  remembered(namespace: string, event: Pick<NewEvent, 'id' | 'source'>): Promise<RememberedEvent | null> {
    const { dedupWindowMs: windowMs } = this.#settings;
    return this.#db.ask((db) => findRemembered(db, namespace, { event, windowMs }));
  }

  async ranges(namespaces: readonly string[]): Promise<Map<string, LogRange>> {
    if (namespaces.length === 0) return new Map();
    const rows = await this.#db.ask((db) => findLogs(db, namespaces));
    const ranges = new Map<string, LogRange>(namespaces.map((namespace) => [namespace, UNBEGUN_RANGE]));
    for (const {
      namespace,
      epoch,
      head_seq,
      head_nonce,
      horizon_seq,
      horizon_nonce,
      oldest_seq,
      oldest_nonce,
    } of rows) {
      const range = {
        horizon: { epoch, seq: horizon_seq, nonce: horizon_nonce },
        head: { epoch, seq: head_seq, nonce: head_nonce },
      };
      ranges.set(namespace, withOldest(range, { epoch, seq: oldest_seq, nonce: oldest_nonce }));
    }
    return ranges;
  }

  async size(namespace: string): Promise<LogSize> {
    const [log] = await this.#db.ask((db) => findLogs(db, [namespace]));
    if (log === undefined) return { kept: 0, removed: 0, keptBytes: 0, removedBytes: 0 };
    const { head_seq, head_bytes, horizon_seq, horizon_bytes, spared_events, spared_bytes } = log;
    return {
      kept: head_seq - horizon_seq + spared_events,
      removed: horizon_seq - spared_events,
      keptBytes: head_bytes - horizon_bytes + spared_bytes,
      removedBytes: horizon_bytes - spared_bytes,
    };
  }

  async topics(namespace: string, page: { after: string | null; limit: number }): Promise<TopicCount[]> {
    const rows = await this.#db.ask((db) => listTopics(db, namespace, page));
    return rows.map(({ topic, count, perSecond, epoch, seq, nonce }) => ({
      topic,
      count,
      perSecond,
      last: { epoch, seq, nonce },
    }));
  }
}

const UNBEGUN_RANGE: LogRange = { horizon: UNBEGUN, head: UNBEGUN };
/** Of a position in a log that does not exist any more. */
const LOST: LogGap = { gap: 'log_lost', range: UNBEGUN_RANGE };

const entriesOf = (rows: readonly EventRow[], epoch: string): LogEntry[] =>
  rows.flatMap(({ seq, nonce, at_ms: appendedAtMs, topic, text }) =>
    seq === null ? [] : [{ position: { epoch, seq, nonce }, appendedAtMs, topic, text }],
  );

/** Whether the number or the size of its events may have cut a page short that is read newest first. */
const isFull = (entries: readonly LogEntry[], limit: number): boolean =>
  entries.length >= limit || entries.reduce((bytes, { text }) => bytes + Buffer.byteLength(text), 0) >= PAGE_BYTES;

const rangeOf = ({ epoch, head, horizon }: LogState): LogRange => ({
  horizon: { epoch, ...horizon },
  head: { epoch, ...head },
});
