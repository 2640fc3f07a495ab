// What this replica counts in each namespace, in buckets of ten seconds, until they are written.
import type { Clock } from '@hypercode/clock';
import { STATS_STEP_MS } from '@hypercode/contracts';
import { Latencies } from './latencies.ts';

/** The counts of one namespace within one bucket. Counting is adding to a field. */
export class Counts {
  published = 0;
  delivered = 0;
  acked = 0;
  redelivered = 0;
  dead = 0;
  refused = 0;
  readonly publishing = new Latencies();
  /** Whether something was counted that is not written. */
  isUnwritten = true;
}

/** A bucket as it is written: all that was counted so far. */
export interface StatisticsRow {
  readonly namespace: string;
  /** Where it begins, in milliseconds since the epoch. */
  readonly bucket: number;
  readonly published: number;
  readonly delivered: number;
  readonly acked: number;
  readonly redelivered: number;
  readonly dead: number;
  readonly refused: number;
  readonly publishP99Ms: number | null;
}

/** Most buckets in one report, and most that wait for one: when there are more, the oldest are dropped. */
const MAX_ROWS = 2000;
const MAX_WAITING = 20_000;

/**
 * A namespace in which nothing happens has no bucket and costs nothing. A bucket is written again and again while it grows, always as a
 * whole, so writing it twice changes nothing.
 */
export class Statistics {
  readonly #clock: Pick<Clock, 'epochMs'>;
  #begunMs = 0;
  #current = new Map<string, Counts>();
  /** Buckets that have ended and are not written, oldest first. */
  #ended: { namespace: string; bucket: number; counts: Counts }[] = [];
  /** What the last `take` gave. */
  #taken: Counts[] = [];

  constructor(clock: Pick<Clock, 'epochMs'>) {
    this.#clock = clock;
  }

  /** The counts of now. To be added to at once, and not to be kept. */
  of(namespace: string): Counts {
    const nowMs = this.#clock.epochMs();
    const begunMs = nowMs - (nowMs % STATS_STEP_MS);
    if (begunMs !== this.#begunMs) this.#begin(begunMs);
    let counts = this.#current.get(namespace);
    if (counts === undefined) this.#current.set(namespace, (counts = new Counts()));
    counts.isUnwritten = true;
    return counts;
  }

  /** Buckets in which something was counted since they were last written. */
  take(): StatisticsRow[] {
    const ended = this.#ended.filter(({ counts }) => counts.isUnwritten);
    this.#ended = ended;
    const current = [...this.#current].map(([namespace, counts]) => ({ namespace, bucket: this.#begunMs, counts }));
    const unwritten = [...ended, ...current].filter(({ counts }) => counts.isUnwritten).slice(0, MAX_ROWS);
    this.#taken = unwritten.map(({ counts }) => counts);
    for (const counts of this.#taken) counts.isUnwritten = false;
    return unwritten.map(rowOf);
  }

  /** What was taken last could not be written: the next `take` gives it again. */
  failed(): void {
    for (const counts of this.#taken) counts.isUnwritten = true;
  }

  #begin(begunMs: number): void {
    for (const [namespace, counts] of this.#current) this.#ended.push({ namespace, bucket: this.#begunMs, counts });
    if (this.#ended.length > MAX_WAITING) this.#ended.splice(0, this.#ended.length - MAX_WAITING);
    this.#begunMs = begunMs;
    this.#current = new Map();
  }
}

const rowOf = ({ namespace, bucket, counts }: { namespace: string; bucket: number; counts: Counts }): StatisticsRow => {
  const { published, delivered, acked, redelivered, dead, refused, publishing } = counts;
  const publishP99Ms = publishing.percentile(0.99);
  return { namespace, bucket, published, delivered, acked, redelivered, dead, refused, publishP99Ms };
};
