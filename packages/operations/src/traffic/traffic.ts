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

/** An origin with a number of its own, by which readers count. */
interface NumberedOrigin extends EventOrigin {
  readonly number: number;
}

/** How many events of one origin. */
interface Flow {
  readonly origin: NumberedOrigin;
  readonly count: number;
}

interface Minute {
  readonly namespace: string;
  readonly bucket: number;
  readonly traffic: MinuteTraffic;
  /** Whether something was counted that is not written. */
  isUnwritten: boolean;
}

/** What a reader received since the last report, by the numbers of the origins: an array costs a delivery less than a map. */
interface Reader extends TrafficReader {
  readonly namespace: string;
  counts: Uint32Array;
  isCounted: boolean;
}

const MINUTE_MS = 60_000;
/** A minute with more edges than this is written when it has ended, not while it grows. */
const MAX_GROWING_EDGES = 1000;
/** About the most edges in one report. */
const MAX_EDGES = 20_000;
/** Minutes that wait to be written; when there are more, the oldest are dropped. */
const MAX_WAITING = 200;
/** Origins that have a number. When there are more, all readers are added up, and numbers begin anew. */
const MAX_ORIGINS = 2048;
/** Numbers that a reader begins with. */
const FIRST_NUMBERS = 16;

/**
 * A read costs one increment for each origin among the events that are handed out together, whose origins are looked up once for all
 * readers that are handed out the same array. Names are put together at the next report.
 */
export class TrafficTally {
  readonly #clock: Pick<Clock, 'epochMs'>;
  readonly #numbered = new Map<string, NumberedOrigin>();
  /** By number. */
  #origins: NumberedOrigin[] = [];
  #flows = new WeakMap<readonly EventOrigin[], readonly Flow[]>();
  /** The array that was read last, which the next reader is likely to be given, too. */
  #last: { readonly origins: readonly EventOrigin[] | null; readonly flows: readonly Flow[] } = {
    origins: null,
    flows: [],
  };
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
    const reader: Reader = { namespace, kind, name, counts: new Uint32Array(FIRST_NUMBERS), isCounted: false };
    return (origins) => {
      const flows = this.#last.origins === origins ? this.#last.flows : this.#flowsOf(origins);
      if (!reader.isCounted) {
        reader.isCounted = true;
        this.#readers.add(reader);
      }
      for (const { origin, count } of flows) {
        if (origin.number >= reader.counts.length) grow(reader, origin.number);
        reader.counts[origin.number] = (reader.counts[origin.number] ?? 0) + count;
      }
    };
  }

  /** Minutes in which something was counted since they were last written. `isLast`: there is no other report. */
  take({ isLast }: { isLast: boolean }): TrafficRow[] {
    this.#foldAll();
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

  #foldAll(): void {
    for (const reader of this.#readers) {
      const minute = this.#minuteOf(reader.namespace);
      for (const [number, count] of reader.counts.entries()) {
        const origin = this.#origins[number];
        if (count > 0 && origin !== undefined) minute.traffic.add(origin.source, origin.topic, reader, count);
      }
      minute.isUnwritten = true;
      reader.counts.fill(0);
      reader.isCounted = false;
    }
    this.#readers.clear();
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
    let flows = this.#flows.get(origins);
    if (flows === undefined) {
      // Numbers do not begin anew while an array is counted.
      if (this.#origins.length + origins.length > MAX_ORIGINS) this.#beginNumbers();
      const counts = new Map<NumberedOrigin, number>();
      for (const given of origins) {
        const origin = this.#numberedOf(given);
        counts.set(origin, (counts.get(origin) ?? 0) + 1);
      }
      flows = Array.from(counts, ([origin, count]) => ({ origin, count }));
      this.#flows.set(origins, flows);
    }
    this.#last = { origins, flows };
    return flows;
  }

  #numberedOf({ source, topic }: EventOrigin): NumberedOrigin {
    const key = `${source} ${topic}`;
    let origin = this.#numbered.get(key);
    if (origin === undefined) {
      origin = { source, topic, number: this.#origins.length };
      this.#origins.push(origin);
      this.#numbered.set(key, origin);
    }
    return origin;
  }

  #beginNumbers(): void {
    this.#foldAll();
    this.#numbered.clear();
    this.#origins = [];
    this.#flows = new WeakMap();
    this.#last = { origins: null, flows: [] };
  }
}

function grow(reader: Reader, number: number): void {
  const grown = new Uint32Array(2 ** Math.ceil(Math.log2(number + 1)));
  grown.set(reader.counts);
  reader.counts = grown;
}
