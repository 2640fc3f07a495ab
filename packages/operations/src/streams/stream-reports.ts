// Reports the streams of this replica, and reads those of the others.
import type { Clock } from '@hypercode/clock';
import { type OtherStreams, StreamReport } from '@hypercode/contracts';
import type { Kysely, RawBuilder } from 'kysely';
import type { Schema } from '../schema.ts';
import { readStreams } from './queries/read-streams.ts';
import { deleteStreams, deleteVanished, writeStreams } from './queries/write-streams.ts';

export interface StreamReportsOptions {
  readonly db: Kysely<Schema>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** The id of this replica. */
  readonly replica: string;
  /** The streams that are open now, by namespace. Asked at each report. */
  readonly streams: () => ReadonlyMap<string, StreamReport>;
}

/** Half of the time after which the rows of a replica are deleted by others, in milliseconds. */
const REWRITE_AFTER_MS = 30_000;
/** For how long an answer is given again, in milliseconds. */
const READ_LASTS_MS = 1000;
/** Namespaces whose answer is kept. */
const MAX_READ = 1000;

interface Read {
  readonly atMs: number;
  readonly streams: Promise<OtherStreams[]>;
}

/** What has changed since the last report is written with the next; nothing when nothing has. */
export class StreamReports {
  readonly #options: StreamReportsOptions;
  /** JSON by namespace, as it was written last. */
  #written = new Map<string, string>();
  /** As it is when what was taken last is written. */
  #taken = new Map<string, string>();
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  readonly #reads = new Map<string, Read>();

  constructor(options: StreamReportsOptions) {
    this.#options = options;
  }

  /** Statements that can stand in a `with`. `done` is called when they were executed; what was not is in the next call. */
  take({ isLast }: { isLast: boolean }): RawBuilder<unknown>[] {
    const { clock, replica, streams } = this.#options;
    // Others may have deleted the rows of a replica that was stopped.
    if (clock.monotonicMs() - this.#writtenAtMs > REWRITE_AFTER_MS) this.#written = new Map();
    this.#taken = isLast
      ? new Map()
      : new Map(Array.from(streams(), ([name, report]) => [name, JSON.stringify(report)]));
    const changed = [...this.#taken].filter(([namespace, report]) => this.#written.get(namespace) !== report);
    const ended = [...this.#written.keys()].filter((namespace) => !this.#taken.has(namespace));
    return [
      deleteVanished(replica, { isLast }),
      ...(changed.length === 0 ? [] : [writeStreams(replica, changed)]),
      ...(ended.length === 0 || isLast ? [] : [deleteStreams(replica, ended)]),
    ];
  }

  /** What was taken last is written. */
  done(): void {
    this.#written = this.#taken;
    this.#writtenAtMs = this.#options.clock.monotonicMs();
  }

  /** The streams of the other replicas in a namespace, at most a second old beside the age of each report. UNAVAILABLE. */
  others(namespace: string): Promise<OtherStreams[]> {
    const nowMs = this.#options.clock.monotonicMs();
    const known = this.#reads.get(namespace);
    if (known !== undefined && nowMs - known.atMs < READ_LASTS_MS) return known.streams;
    if (this.#reads.size >= MAX_READ) this.#reads.clear();
    const streams = this.#read(namespace);
    const read = { atMs: nowMs, streams };
    this.#reads.set(namespace, read);
    // A failure is not an answer to give again.
    streams.catch(() => {
      if (this.#reads.get(namespace) === read) this.#reads.delete(namespace);
    });
    return streams;
  }

  async #read(namespace: string): Promise<OtherStreams[]> {
    const { db, replica } = this.#options;
    const rows = await readStreams(db, namespace, { except: replica });
    return rows.flatMap((row) => {
      const { success, data } = StreamReport.safeParse(row.report);
      // A release with another form is no report that this one can read.
      return success ? [{ replica: row.replica, asOf: row.seenAt.toISOString(), ...data }] : [];
    });
  }
}
