// What is remembered of each attempt at a task: who had it, when, why, and how it ended.
import { AgentName, AttemptOutcome, type CancelCause } from '@hypercode/contracts';
import { z } from 'zod';
import { fitting } from './liberal-reading.ts';

/** Times are in milliseconds since the epoch. */
export const AttemptRecord = z.object({
  attempt: z.number().int().positive(),
  agent: AgentName,
  assignedAt: z.number(),
  /** As progress has moved it. */
  deadlineAt: z.number(),
  acceptedAt: z.number().nullable(),
  stalledAt: z.number().nullable().default(null),
  endedAt: z.number().nullable(),
  outcome: AttemptOutcome,
  /** Why it ended without a result, in words. */
  error: z.string().nullable(),
  /** Why this agent was chosen, in words; null when that was not said. */
  because: z.string().nullable(),
});
export type AttemptRecord = Readonly<z.infer<typeof AttemptRecord>>;

export interface AttemptSign {
  readonly at: number;
  readonly deadlineAt: number;
}

export interface AttemptEnd {
  readonly at: number;
  readonly outcome: Exclude<AttemptOutcome, 'running'>;
  readonly error: string | null;
}

/** Records of one task; of more attempts, the oldest are forgotten. */
const KEPT_RECORDS = 32;
/** Longest text of a record. */
const WORDS_LENGTH = 512;

/** The records of one task, by attempt, oldest first. */
export type AttemptRecords = Map<number, AttemptRecord>;

/** The last of those that have failed or timed out. */
export const lastFailureIn = (records: AttemptRecords): AttemptRecord | undefined =>
  [...records.values()].findLast(({ outcome }) => outcome === 'failed' || outcome === 'timed_out');

export function recordBegin(
  records: AttemptRecords,
  begun: Pick<AttemptRecord, 'attempt' | 'agent' | 'assignedAt' | 'deadlineAt' | 'because'>,
): void {
  const because = begun.because === null ? null : fitting(begun.because, WORDS_LENGTH);
  put(records, {
    ...begun,
    because,
    acceptedAt: null,
    stalledAt: null,
    endedAt: null,
    outcome: 'running',
    error: null,
  });
}

/** The agent has begun, or goes on. */
export function recordSign(records: AttemptRecords, attempt: number, { at, deadlineAt }: AttemptSign): void {
  const known = records.get(attempt);
  if (known?.outcome !== 'running') return;
  records.set(attempt, { ...known, deadlineAt, acceptedAt: known.acceptedAt ?? at, stalledAt: null });
}

/** The agent reports nothing. */
export function recordStall(records: AttemptRecords, attempt: number, at: number | null): void {
  const known = records.get(attempt);
  if (known?.outcome === 'running') records.set(attempt, { ...known, stalledAt: at });
}

/** A result that did not count after all: a failure. */
export function recordVoid(records: AttemptRecords, attempt: number, error: string): void {
  const known = records.get(attempt);
  if (known !== undefined) records.set(attempt, { ...known, outcome: 'failed', error: fitting(error, WORDS_LENGTH) });
}

/** An attempt that has ended does not end again, except with a result, which takes the place of another end. */
export function recordEnd(records: AttemptRecords, attempt: number, { at, outcome, error }: AttemptEnd): void {
  const known = records.get(attempt);
  if (known === undefined || (known.outcome !== 'running' && outcome !== 'completed')) return;
  const words = error === null ? null : fitting(error, WORDS_LENGTH);
  records.set(attempt, { ...known, endedAt: at, outcome, error: words });
}

/** What a checkpoint knows. An attempt that has ended does not begin again. */
export function restoreRecord(records: AttemptRecords, record: AttemptRecord): void {
  const known = records.get(record.attempt);
  if (known === undefined || known.outcome === 'running') put(records, record);
}

function put(records: AttemptRecords, record: AttemptRecord): void {
  records.set(record.attempt, record);
  for (const oldest of records.keys()) {
    if (records.size <= KEPT_RECORDS) return;
    records.delete(oldest);
  }
}

/** How an attempt ended that the Architect took back at this time. Events of older Architects name no cause. */
export function outcomeOf(cause: CancelCause | undefined, at: number, deadlineAt: number): AttemptEnd['outcome'] {
  switch (cause) {
    case 'late':
      return 'timed_out';
    case 'silent':
      return at >= deadlineAt ? 'timed_out' : 'not_accepted';
    case 'lost':
    case 'moved':
      return cause;
    case 'invalid':
    case 'refused':
      return 'failed';
    case 'over':
    case undefined:
      return 'cancelled';
  }
}
