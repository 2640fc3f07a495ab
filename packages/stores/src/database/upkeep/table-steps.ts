// Which tables of the embedded database need a vacuum or new statistics, as autovacuum decides it on a server. Pure.

/** A table or a TOAST table, as statistics have it. All counts are zero after a crash. */
export interface TableState {
  /** As SQL writes it. */
  readonly name: string;
  /** Whether it is a TOAST table, of which the planner needs no statistics. */
  readonly isToast: boolean;
  readonly bytes: number;
  readonly liveRows: number;
  readonly deadRows: number;
  /** Rows that were inserted since the last vacuum. */
  readonly insertedRows: number;
  /** Rows that were changed since the last analyze. */
  readonly changedRows: number;
  readonly wasVacuumed: boolean;
  readonly wasAnalyzed: boolean;
  /** Transactions since its oldest row that is not frozen. */
  readonly age: number;
}

export interface UpkeepStep {
  readonly kind: 'checkpoint' | 'vacuum' | 'analyze';
  /** Empty for a checkpoint. */
  readonly table: string;
}

/** Dead rows that are worth a vacuum, and what they take, in bytes. */
const DEAD_ROWS = 2_000;
const DEAD_BYTES = 4 * 1024 * 1024;
/** Inserted rows that are worth one: later vacuums pass over their pages then. */
const INSERTED_ROWS = 20_000;
/** Of a table of which statistics know nothing, it is not known whether rows are dead. Smaller tables are not worth the time. */
const UNKNOWN_BYTES = 1024 * 1024;
/** As `autovacuum_freeze_max_age`. */
const MAX_AGE = 200_000_000;
/** Changed rows that are worth an analyze: so many, and a fifth of the table. */
const CHANGED_ROWS = 500;
const CHANGED_SHARE = 0.2;

/** What vacuums and analyzes the tables need, the vacuum that frees most first. */
export function stepsFor(tables: readonly TableState[]): UpkeepStep[] {
  const byDead = tables.toSorted((a, b) => deadBytesOf(b) - deadBytesOf(a));
  return [
    ...byDead.filter(needsVacuum).map(({ name }) => ({ kind: 'vacuum' as const, table: name })),
    ...byDead.filter(needsAnalyze).map(({ name }) => ({ kind: 'analyze' as const, table: name })),
  ];
}

/** How long a step rests after it took `tookMs`, in milliseconds: so that one table takes at most a fifth of the time. */
export const restMs = (step: UpkeepStep, tookMs: number): number =>
  step.kind === 'analyze' ? Math.max(ANALYZE_REST_MS, REST_FACTOR * tookMs) : REST_FACTOR * tookMs;

const REST_FACTOR = 4;
const ANALYZE_REST_MS = 60_000;

const deadBytesOf = ({ bytes, liveRows, deadRows }: TableState): number =>
  deadRows === 0 ? 0 : (bytes * deadRows) / (liveRows + deadRows);

const needsVacuum = (table: TableState): boolean =>
  table.deadRows >= DEAD_ROWS ||
  deadBytesOf(table) >= DEAD_BYTES ||
  table.insertedRows >= INSERTED_ROWS ||
  (!table.wasVacuumed && table.bytes >= UNKNOWN_BYTES) ||
  table.age >= MAX_AGE;

const needsAnalyze = ({ isToast, bytes, changedRows, liveRows, wasAnalyzed }: TableState): boolean =>
  !isToast &&
  ((!wasAnalyzed && bytes >= UNKNOWN_BYTES) || changedRows >= Math.max(CHANGED_ROWS, CHANGED_SHARE * liveRows));
