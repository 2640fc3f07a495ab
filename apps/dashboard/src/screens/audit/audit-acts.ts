// The entries of the audit as acts: each act has an entry before it is done, and one with its outcome.
import type { AuditEntry } from '@hypercode/contracts';
import { z } from 'zod';

export const AuditFilterSearch = z.object({
  actor: z.string().max(512).optional().catch(undefined),
  action: z.string().max(64).optional().catch(undefined),
  /** Of the act that is shown. */
  seq: z.number().int().positive().optional().catch(undefined),
});
export type AuditFilterSearch = z.infer<typeof AuditFilterSearch>;

/**
 * - `done`, `refused`: it has an outcome.
 * - `open`: it has begun a moment ago.
 * - `unknown`: it has begun, and no outcome came: the core ended in between.
 */
export type ActState = 'done' | 'refused' | 'open' | 'unknown';

export interface AuditAct {
  /** Of its last entry. */
  readonly seq: number;
  readonly entry: AuditEntry;
  readonly state: ActState;
}

/** An act takes seconds at most: it is one call. */
const OPEN_MS = 60_000;

/** Acts of entries that come newest first, in the same order. */
export function actsOf(entries: readonly AuditEntry[], now: number): AuditAct[] {
  const ended = new Set(entries.map(({ begun }) => begun));
  return entries
    .filter(({ seq }) => !ended.has(seq))
    .map((entry) => ({ seq: entry.seq, entry, state: stateOf(entry, now) }));
}

function stateOf({ outcome, at }: AuditEntry, now: number): ActState {
  if (outcome === 'done') return 'done';
  if (outcome !== 'begun') return 'refused';
  return now - Date.parse(at) < OPEN_MS ? 'open' : 'unknown';
}
