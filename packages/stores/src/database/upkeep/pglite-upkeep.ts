// Does for the embedded database what a PostgreSQL server does in the background: checkpoints, vacuum, statistics.
import { type Clock, repeat } from '@hypercode/clock';
import { type Kysely, sql } from 'kysely';
import { restMs, stepsFor, type UpkeepStep } from './table-steps.ts';
import { readTables, readWalBytes } from './read-state.ts';

export interface PgliteUpkeepOptions {
  db: Kysely<object>;
  clock: Clock;
  /** Called with what a step has failed with; the upkeep goes on after a pause. */
  onError: (error: unknown) => void;
}

/** Between two steps, in milliseconds; others have the one connection meanwhile. */
const PAUSE_MS = 100;
/** After a failure, in milliseconds. */
const PAUSE_AFTER_FAILURE_MS = 30_000;
/** Write-ahead log between two checkpoints, in bytes: bounds the disk that it takes, the pause, and the time of a recovery. */
const CHECKPOINT_BYTES = 32 * 1024 * 1024;
/** What has to be written before the tables are examined again, in bytes: without it no row has died. */
const EXAMINE_BYTES = 1024 * 1024;
/** Tables are examined at most this often, in milliseconds. */
const EXAMINE_MS = 400;

/**
 * Every statement has the whole database to itself and cannot be interrupted, so the work is done in steps of one table each,
 * with pauses between them. Ends with `close`, after the step that is under way.
 */
export class PgliteUpkeep {
  readonly #options: PgliteUpkeepOptions;
  readonly #end: () => void;
  #running: Promise<void> = Promise.resolve();
  /** Steps that the tables need, in the order in which they came up, so that none waits for ever. */
  #due: UpkeepStep[] = [];
  /** When a step may run again, by kind and table; monotonic, as all times here. */
  readonly #restUntil = new Map<string, number>();
  #closed = false;
  #wasCheckpoint = false;
  #pausedUntil = -Infinity;
  #examinedAt = -Infinity;
  #examinedWalBytes = -Infinity;

  constructor(options: PgliteUpkeepOptions) {
    this.#options = options;
    this.#end = repeat(options.clock, PAUSE_MS, () => (this.#running = this.#run()));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#end();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, onError } = this.#options;
    if (clock.monotonicMs() < this.#pausedUntil) return;
    try {
      await this.#step();
    } catch (error) {
      if (this.#closed) return;
      this.#pausedUntil = clock.monotonicMs() + PAUSE_AFTER_FAILURE_MS;
      onError(error);
    }
  }

  async #step(): Promise<void> {
    const { db, clock } = this.#options;
    const walBytes = await readWalBytes(db);
    await this.#examine(walBytes);
    const now = clock.monotonicMs();
    const ofTable = this.#due.find((due) => now >= (this.#restUntil.get(keyOf(due)) ?? -Infinity));
    const isCheckpointDue = walBytes >= CHECKPOINT_BYTES;
    // In turns, since under full load there is always a checkpoint due.
    const step = isCheckpointDue && (ofTable === undefined || !this.#wasCheckpoint) ? CHECKPOINT : ofTable;
    this.#wasCheckpoint = step === CHECKPOINT;
    if (step === undefined) return;
    this.#due = this.#due.filter((due) => due !== step);
    await db.connection().execute(async (connection) => {
      const startedAt = clock.monotonicMs();
      await statementOf(step).execute(connection);
      const endedAt = clock.monotonicMs();
      this.#restUntil.set(keyOf(step), endedAt + restMs(step, endedAt - startedAt));
    });
  }

  async #examine(walBytes: number): Promise<void> {
    const { db, clock } = this.#options;
    const isIdle = this.#due.length === 0 && Math.abs(walBytes - this.#examinedWalBytes) < EXAMINE_BYTES;
    if (isIdle || clock.monotonicMs() < this.#examinedAt + EXAMINE_MS) return;
    this.#examinedAt = clock.monotonicMs();
    this.#examinedWalBytes = walBytes;
    const needed = new Map(stepsFor(await readTables(db)).map((step) => [keyOf(step), step]));
    const waiting = this.#due.filter((step) => needed.delete(keyOf(step)));
    this.#due = [...waiting, ...needed.values()];
  }
}

const CHECKPOINT = { kind: 'checkpoint', table: '' } as const;

const keyOf = ({ kind, table }: UpkeepStep): string => `${kind} ${table}`;

function statementOf({ kind, table }: UpkeepStep) {
  switch (kind) {
    case 'checkpoint':
      return sql`checkpoint`;
    case 'vacuum':
      // The TOAST table is a step of its own.
      return sql`vacuum (process_toast false) ${sql.raw(table)}`;
    case 'analyze':
      return sql`analyze ${sql.raw(table)}`;
  }
}
