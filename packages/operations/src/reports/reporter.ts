// Reports this replica: its row, its statistics and its traffic, in one statement every five seconds.
import { type Clock, repeat } from '@hypercode/clock';
import type { Replica } from '@hypercode/contracts';
import type { Kysely, RawBuilder } from 'kysely';
import type { Schema } from '../schema.ts';
import type { StreamReports } from '../streams/stream-reports.ts';
import type { Statistics } from '../statistics/statistics.ts';
import type { TrafficTally } from '../traffic/traffic.ts';
import { EventLoopDelay } from './event-loop.ts';
import { readReplicas } from './queries/read-replicas.ts';
import { writeReport } from './queries/write-report.ts';
import type { ReplicaIdentity, ReplicaState, ReplicaVitals } from './replica-state.ts';

/** What another package writes with the reports of this replica. */
export interface ReportPart {
  /** A statement that can stand in a `with`, for what came up since the last call; null: nothing did. */
  take(): RawBuilder<unknown> | null;
  /** What was taken last could not be written: the next `take` gives it again. */
  failed(): void;
}

export interface ReporterOptions {
  db: Kysely<Schema>;
  clock: Clock;
  replica: ReplicaIdentity;
  /** Asked at each report. */
  vitals: () => ReplicaVitals;
  statistics: Statistics;
  traffic: TrafficTally;
  streams: Pick<StreamReports, 'take' | 'done'>;
  parts: readonly ReportPart[];
  onError: (error: unknown) => void;
}

/** From the end of a report to the next, in milliseconds. */
const INTERVAL_MS = 5000;

/** The first report is written at once. What could not be written is in the next report. */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #startedAt: string;
  readonly #delay = new EventLoopDelay();
  readonly #end: () => void;
  #writing: Promise<void>;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#startedAt = new Date(options.clock.epochMs()).toISOString();
    this.#writing = this.#write({ isLast: false });
    this.#end = repeat(options.clock, INTERVAL_MS, () => this.report());
  }

  /** Writes a report after the one under way. Never rejects. */
  report(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write({ isLast: false }));
    return this.#writing;
  }

  /** All replicas that have reported themselves within the last minute, this one as it is now, and where the guard holds. */
  async replicas(): Promise<{ replicas: Replica[]; suspended: string[] }> {
    const rows = await readReplicas(this.#options.db);
    const own = this.own();
    const others = rows.filter(({ id }) => id !== own.replica.id);
    const replicas = [...others.map(replicaOf), own.replica];
    return {
      replicas: replicas.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1)),
      suspended: [...new Set([...own.suspended, ...others.flatMap(({ suspended }) => suspended)])].toSorted(),
    };
  }

  /** This replica as it is now. */
  own(): { replica: Replica; suspended: readonly string[] } {
    const { suspended, ...state } = this.#state();
    return { replica: { ...state, seenAt: new Date(this.#options.clock.epochMs()).toISOString() }, suspended };
  }

  /** Writes the last report, and ends. */
  async close(): Promise<void> {
    this.#end();
    await this.#writing;
    await this.#write({ isLast: true });
    this.#delay.close();
  }

  #state(): ReplicaState {
    const { replica, vitals } = this.#options;
    const { streams, suspended } = vitals();
    return {
      ...replica,
      startedAt: this.#startedAt,
      streams,
      rssBytes: process.memoryUsage.rss(),
      eventLoopP99Ms: this.#delay.p99Ms,
      suspended,
    };
  }

  async #write({ isLast }: { isLast: boolean }): Promise<void> {
    const { db, statistics, traffic, streams, parts, onError } = this.#options;
    const report = {
      replica: this.#state(),
      statistics: statistics.take(),
      traffic: traffic.take({ isLast }),
      parts: [...streams.take({ isLast }), ...parts.map((part) => part.take()).filter((part) => part !== null)],
      isLast,
    };
    this.#delay.reset();
    try {
      await writeReport(db, report);
      streams.done();
    } catch (error) {
      statistics.failed();
      traffic.failed();
      for (const part of parts) part.failed();
      onError(error);
    }
  }
}

const replicaOf = (row: Awaited<ReturnType<typeof readReplicas>>[number]): Replica => ({
  id: row.id,
  version: row.version,
  host: row.host,
  startedAt: row.started_at.toISOString(),
  seenAt: row.seen_at.toISOString(),
  streams: row.streams,
  rssBytes: row.rss_bytes,
  eventLoopP99Ms: row.event_loop_p99_ms,
});
