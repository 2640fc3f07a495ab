// The event log on Redis: a stream of gapless ids in each namespace, and one script for each call.
import { hash, randomInt } from 'node:crypto';
import type { GapReason } from '@hypercode/contracts';
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
import { beginningOf, idKey } from '../store/id-key.ts';
import { isUnbegun, type LogPosition, MAX_NONCE } from '../store/position.ts';
import type { RedisConnection } from '@hypercode/stores';
import { indexKeys } from './redis-keys.ts';
import { loadScript, type RedisScript, runScript } from './redis-script.ts';

/** Hashes that a window of deduplication is spread over; docs/adr/0008 has the measurements. */
const GENERATIONS = 4;
/** Records have four bytes for their time since their hash was begun. */
const MAX_GENERATION_MS = 2 ** 31;
/** Topics counted in a namespace. */
const MAX_TOPICS = 100_000;
const READ_BYTES = 1024 * 1024;
/** In characters of base64, of 6 bits. */
const KEY_LENGTH = 22;
const TOPICS_AT_ONCE = 1000;

/** For logs that are not there yet. */
export const newEpoch = (): string => randomInt(1, 2 ** 48 - 1).toString(36);

/**
 * Under which an event is known: a short name of its source and id, since as many are kept as are published in a window. 132
 * bits of SHA-256: no second event with the key of a given one can be found.
 */
const dedupKey = ({ source, id }: Pick<NewEvent, 'id' | 'source'>): string =>
  hash('sha256', `${id} ${source}`, 'base64url').slice(0, KEY_LENGTH);

export interface RedisEventLogOptions {
  connection: RedisConnection;
  settings: LogSettings;
  /** Begins every key. */
  prefix: string;
  /** Called with the namespace of a log that exists. */
  touch: (namespace: string) => void;
}

export class RedisEventLog implements EventLog {
  readonly #connection: RedisConnection;
  readonly #settings: LogSettings;
  readonly #prefix: string;
  readonly #touch: (namespace: string) => void;
  readonly #appendEvents = loadScript('append-events');
  readonly #readEvents = loadScript('read-events');
  readonly #readEventsBack = loadScript('read-events-back');
  readonly #findEvents = loadScript('find-events');
  readonly #readEvent = loadScript('read-event');
  readonly #positionBefore = loadScript('position-before');
  readonly #findRemembered = loadScript('find-remembered');
  readonly #logRange = loadScript('log-range');
  readonly #logSize = loadScript('log-size');
  readonly #listTopics = loadScript('list-topics');
  readonly #applyRetentionScript = loadScript('apply-retention');

  constructor({ connection, settings, prefix, touch }: RedisEventLogOptions) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#settings = settings;
    this.#touch = touch;
  }

  get retention(): Retention {
    return this.#settings.retention;
  }

  async append(namespace: string, events: readonly NewEvent[]): Promise<Appended[]> {
    this.#touch(namespace);
    const nonce = randomInt(1, MAX_NONCE + 1);
    const { windowMs, generationMs } = this.#window;
    const idKeys = this.#settings.eventIndex === false ? '' : events.map(({ id }) => idKey(namespace, id)).join('');
    const args: (string | number)[] = [newEpoch(), nonce, ...this.#limits, windowMs, generationMs, MAX_TOPICS, idKeys];
    for (const event of events) args.push(dedupKey(event), event.topic, event.text);
    const [epoch, headNonce, at, ...answers] = (await this.#run(this.#appendEvents, namespace, args)) as [
      string,
      number,
      string,
      ...(number | string)[],
    ];
    const appendedAtMs = Number(at);
    let nonceBefore = headNonce;
    return answers.map((answer) => {
      if (typeof answer !== 'number') return { position: positionOfId(epoch, answer), duplicate: true };
      const before = { epoch, seq: answer - 1, nonce: nonceBefore };
      nonceBefore = nonce;
      return { position: { epoch, seq: answer, nonce }, duplicate: false, before, appendedAtMs };
    });
  }

  async read(namespace: string, after: LogPosition, limit: number): Promise<LogEntry[] | LogGap> {
    const args = [newEpoch(), after.epoch, after.seq, after.nonce, limit, READ_BYTES];
    const answer = (await this.#run(this.#readEvents, namespace, args)) as (string | number)[];
    const gap = answer[RANGE_LENGTH];
    if (gap === 'retention' || gap === 'log_lost') return gapOf(gap, toRange(answer), answer.slice(RANGE_LENGTH + 1));
    return entriesOf(String(answer[0]), answer.slice(RANGE_LENGTH + 1));
  }

  async readBack(namespace: string, upTo: LogPosition | null, limit: number): Promise<LogPageBack | LogGap> {
    const from = upTo === null ? ['', 0, 0] : [upTo.epoch, upTo.seq, upTo.nonce];
    const answer = (await this.#run(this.#readEventsBack, namespace, [newEpoch(), ...from, limit, READ_BYTES])) as (
      | string
      | number
    )[];
    const [gap, end, ...entries] = answer.slice(RANGE_LENGTH);
    if (gap === 'log_lost') return { gap, range: toRange(answer) };
    return { entries: entriesOf(String(answer[0]), entries), end: end === 1 };
  }

  async find(namespace: string, id: string, page: { before: number | null; limit: number }): Promise<IdHits> {
    const args = [newEpoch(), idKey(namespace, id), beginningOf(id), page.before ?? 0, page.limit, READ_BYTES];
    const [epoch, next, seq, nonce, ...entries] = (await this.#run(this.#findEvents, namespace, args)) as [
      string,
      number,
      number,
      number,
      ...(string | number)[],
    ];
    return {
      entries: entriesOf(epoch, entries),
      next: next === 0 ? null : next,
      unindexed: seq === 0 ? null : { epoch, seq, nonce },
    };
  }

  async event(namespace: string, at: LogPosition): Promise<LogEntry | LogGap> {
    const args = [newEpoch(), at.epoch, at.seq, at.nonce];
    const answer = (await this.#run(this.#readEvent, namespace, args)) as (string | number)[];
    const [gap, topic, text, time] = answer.slice(RANGE_LENGTH);
    if (gap === 'retention' || gap === 'log_lost') return { gap, range: toRange(answer) };
    return { position: at, appendedAtMs: timeOf(time), topic: String(topic), text: String(text) };
  }

  async positionBefore(namespace: string, timeMs: number, untimed: 'before' | 'after' = 'after'): Promise<LogPosition> {
    const answer = await this.#run(this.#positionBefore, namespace, [newEpoch(), timeMs, untimed]);
    const [epoch, seq, nonce] = answer as [string, number, number];
    return { epoch, seq, nonce };
  }

  async remembered(namespace: string, event: Pick<NewEvent, 'id' | 'source'>): Promise<RememberedEvent | null> {
    const args = [newEpoch(), dedupKey(event), this.#window.windowMs];
    const answer = (await this.#run(this.#findRemembered, namespace, args)) as [string, number, number, number] | null;
    if (answer === null) return null;
    const [epoch, seq, nonce, duplicates] = answer;
    return { position: { epoch, seq, nonce }, duplicates };
  }

  async ranges(namespaces: readonly string[]): Promise<Map<string, LogRange>> {
    const asked = [...new Set(namespaces)].map(async (namespace): Promise<[string, LogRange]> => {
      const answer = (await this.#run(this.#logRange, namespace, [newEpoch()])) as (string | number)[];
      const range = wholeRange(answer);
      if (!isUnbegun(range.head)) this.#touch(namespace);
      return [namespace, range];
    });
    return new Map(await Promise.all(asked));
  }

  async size(namespace: string): Promise<LogSize> {
    const answer = (await this.#run(this.#logSize, namespace, [newEpoch()])) as string[];
    const [head = 0, bytes = 0, horizon = 0, horizonBytes = 0, spared = 0, sparedBytes = 0] = answer.map(Number);
    return {
      kept: head - horizon + spared,
      removed: horizon - spared,
      keptBytes: bytes - horizonBytes + sparedBytes,
      removedBytes: horizonBytes - sparedBytes,
    };
  }

  async topics(namespace: string, { after, limit }: { after: string | null; limit: number }): Promise<TopicCount[]> {
    const args = [newEpoch(), after === null ? '-' : `(${after}`, limit];
    const [epoch, ...answer] = (await this.#run(this.#listTopics, namespace, args)) as [string, ...(string | number)[]];
    const topics: TopicCount[] = [];
    for (let at = 0; at < answer.length; at += 5) {
      const [topic, count, perMinute, seq, nonce] = answer.slice(at, at + 5);
      topics.push({
        topic: String(topic),
        count: Number(count),
        perSecond: Number(perMinute) / 60,
        last: { epoch, seq: Number(seq), nonce: Number(nonce) },
      });
    }
    return topics;
  }

  /** Cuts the log to its limits, and forgets topics and records of deduplication that no longer count. */
  async applyRetention(namespace: string): Promise<void> {
    const { windowMs } = this.#window;
    for (let from = '-', isCut = false; from !== '' || !isCut;) {
      // `(~` begins after all topics: names are letters, digits and `_-.`.
      const begin = from === '' ? '(~' : from;
      const args = [newEpoch(), ...this.#limits, windowMs, begin, TOPICS_AT_ONCE];
      const [cut, next] = (await this.#run(this.#applyRetentionScript, namespace, args)) as [number, string];
      isCut = cut === 1;
      from = next === '' ? '' : `(${next}`;
    }
  }

  get #limits(): number[] {
    const { maxEvents, maxBytes, maxAgeMs } = this.#settings.retention;
    return [maxEvents, maxBytes, maxAgeMs];
  }

  get #window(): { windowMs: number; generationMs: number } {
    const windowMs = this.#settings.dedupWindowMs;
    return { windowMs, generationMs: Math.min(Math.ceil(windowMs / GENERATIONS), MAX_GENERATION_MS) };
  }

  #run(script: RedisScript, namespace: string, args: readonly (string | number)[]): Promise<unknown> {
    const keys = indexKeys(namespace, this.#prefix);
    return this.#connection.ask((client) => runScript(client, script, { keys, args }));
  }
}

/** epoch, horizon, horizonNonce, head, headNonce: how scripts return a range. */
const RANGE_LENGTH = 5;

function toRange(answer: readonly (string | number)[]): LogRange {
  const [epochText, horizon, horizonNonce, head, headNonce] = answer;
  const epoch = String(epochText);
  return {
    horizon: { epoch, seq: Number(horizon), nonce: Number(horizonNonce) },
    head: { epoch, seq: Number(head), nonce: Number(headNonce) },
  };
}

/** What a script returns of events: id, topic, text and time of each. */
function entriesOf(epoch: string, answer: readonly (string | number)[]): LogEntry[] {
  const entries: LogEntry[] = [];
  for (let at = 0; at < answer.length; at += 4) {
    const [id, topic, text, time] = answer.slice(at, at + 4);
    const position = positionOfId(epoch, String(id));
    entries.push({ position, appendedAtMs: timeOf(time), topic: String(topic), text: String(text) });
  }
  return entries;
}

/** Without a time it is ''. */
const timeOf = (text: string | number | undefined): number | null => Number(text ?? '') || null;

/** A range with the position before the first event that is kept. */
function wholeRange(answer: readonly (string | number)[]): LogRange {
  const range = toRange(answer);
  const [seq, nonce] = answer.slice(RANGE_LENGTH);
  return withOldest(range, { epoch: range.head.epoch, seq: Number(seq), nonce: Number(nonce) });
}

function gapOf(gap: GapReason, range: LogRange, [seq, nonce]: readonly (string | number)[]): LogGap {
  return withResume({ gap, range }, { epoch: range.head.epoch, seq: Number(seq), nonce: Number(nonce) });
}

/** An id of the stream is `<seq>-<nonce>`. */
function positionOfId(epoch: string, id: string): LogPosition {
  const [seq, nonce] = id.split('-');
  return { epoch, seq: Number(seq), nonce: Number(nonce) };
}
