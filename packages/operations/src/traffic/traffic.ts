// Counts who receives whose events at this replica, minute by minute, until it is written.
import type { Clock } from '@hypercode/clock';
import type { TrafficReader } from '@hypercode/contracts';
import { MinuteTraffic, type StoredEdge } from './minute-traffic.ts';

/** Where an event comes from. */
export interface EventOrigin {
  readonly source: string;
  readonly topic: string;
}

/** Counts what one reader received. Readers that are given the same array share the work. */
export type CountRead = (origins: readonly EventOrigin[]) => void;

export interface TrafficRow {
  readonly namespace: string;
  /** Where the minute begins, in milliseconds since the epoch. */
  readonly bucket: number;
  readonly edges: readonly StoredEdge[];
  readonly other: number;
}

/** How many events of one origin. */
interface Flow {
  readonly origin: EventOrigin;
  readonly count: number;
}

interface Minute {
  readonly namespace: string;
  readonly bucket: number;
  readonly traffic: MinuteTraffic;
  /** Whether something was counted that is not written. */
  isUnwritten: boolean;
}

/** What a reader received since the last report, by the origins as other readers know them. */
interface Reader extends TrafficReader {
  readonly namespace: string;
  readonly counts: Map<EventOrigin, number>;
}

const MINUTE_MS = 60_000;
/** A minute with more edges than this is written when it has ended, not while it grows. */
const MAX_GROWING_EDGES = 1000;
/** About the most edges in one report. */
const MAX_EDGES = 20_000;
/** Minutes that wait to be written; when there are more, the oldest are dropped. */
const MAX_WAITING = 200;
/** Origins that are known, and origins of one reader, after which they begin anew: what is known twice is added up later. */
const MAX_ORIGINS = 10_000;

/**
 * A read costs one look-up for the events that are handed out together, and one increment for each origin among them. Names are put together at
 * the next report.
 */
export class TrafficTally {
  readonly #clock: Pick<Clock, 'epochMs'>;
  readonly #origins = new Map<string, EventOrigin>();
  readonly #flows = new WeakMap<readonly EventOrigin[], readonly Flow[]>();
  /** Readers that have received something since the last report. */
  readonly #readers = new Set<Reader>();
  readonly #current = new Map<string, Minute>();
  /** Minutes that have ended and are not written, oldest first. */
  #ended: Minute[] = [];
  #taken: Minute[] = [];

  constructor(clock: Pick<Clock, 'epochMs'>) {
    this.#clock = clock;
  }

  /** For one group, or for the streams of one caller. */
  reader(namespace: string, { kind, name }: TrafficReader): CountRead {
    const reader: Reader = { namespace, kind, name, counts: new Map() };
    const { counts } = reader;
    return (origins) => {
      if (counts.size === 0) this.#readers.add(reader);
      else if (counts.size >= MAX_ORIGINS) this.#fold(reader);
      for (const { origin, count } of this.#flowsOf(origins)) counts.set(origin, (counts.get(origin) ?? 0) + count);
    };
  }

  /** Minutes in which something was counted since they were last written. `isLast`: there is no other report. */
  take({ isLast }: { isLast: boolean }): TrafficRow[] {
    for (const reader of this.#readers) this.#fold(reader);
    this.#readers.clear();
    const nowMs = this.#clock.epochMs();
    for (const minute of this.#current.values()) if (nowMs - minute.bucket >= MINUTE_MS) this.#endMinute(minute);
    this.#ended = this.#ended.filter(({ isUnwritten }) => isUnwritten);
    const growing = [...this.#current.values()].filter(
      ({ isUnwritten, traffic }) => isUnwritten && (isLast || traffic.size <= MAX_GROWING_EDGES),
    );
    this.#taken = [];
    let edges = 0;
    for (const minute of [...this.#ended, ...growing]) {
      if (edges >= MAX_EDGES) break;
      edges += minute.traffic.size;
      minute.isUnwritten = false;
      this.#taken.push(minute);
    }
    return this.#taken.map(({ namespace, bucket, traffic }) => ({ namespace, bucket, ...traffic.toStored() }));
  }

  /** What was taken last could not be written: the next `take` gives it again. */
  failed(): void {
    for (const minute of this.#taken) minute.isUnwritten = true;
  }

  #fold({ namespace, counts, kind, name }: Reader): void {
    const minute = this.#minuteOf(namespace);
    for (const [{ source, topic }, count] of counts) minute.traffic.add(source, topic, { kind, name }, count);
    minute.isUnwritten = true;
    counts.clear();
  }

  #minuteOf(namespace: string): Minute {
    const nowMs = this.#clock.epochMs();
    const bucket = nowMs - (nowMs % MINUTE_MS);
    const current = this.#current.get(namespace);
    if (current?.bucket === bucket) return current;
    if (current !== undefined) this.#endMinute(current);
    const minute = { namespace, bucket, traffic: new MinuteTraffic(), isUnwritten: true };
    this.#current.set(namespace, minute);
    return minute;
  }

  #endMinute(minute: Minute): void {
    this.#current.delete(minute.namespace);
    this.#ended.push(minute);
    if (this.#ended.length > MAX_WAITING) this.#ended.shift();
  }

  #flowsOf(origins: readonly EventOrigin[]): readonly Flow[] {
    const known = this.#flows.get(origins);
    if (known !== undefined) return known;
    const counts = new Map<EventOrigin, number>();
    for (const given of origins) {
      const origin = this.#known(given);
      counts.set(origin, (counts.get(origin) ?? 0) + 1);
    }
    const flows = Array.from(counts, ([origin, count]) => ({ origin, count }));
    this.#flows.set(origins, flows);
    return flows;
  }

  #known({ source, topic }: EventOrigin): EventOrigin {
    const key = `${source} ${topic}`;
    let origin = this.#origins.get(key);
    if (origin !== undefined) return origin;
    if (this.#origins.size >= MAX_ORIGINS) this.#origins.clear();
    this.#origins.set(key, (origin = { source, topic }));
    return origin;
  }
}
