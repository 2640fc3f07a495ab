// Time that does not count: while a person is asked about an attempt or a goal, its deadline stands still.
//
//   running ──a question is open──> held ──no question is open──> running
//
// Times of questions are of their events, and an agent may claim any. What it gains is bounded by the patience of the Architect.

export interface Hold {
  /** How long it was held before, in milliseconds. */
  readonly heldMs: number;
  /** Since when it is held now, in milliseconds since the epoch; null: it is not. */
  readonly heldSince: number | null;
}

export const NOT_HELD: Hold = { heldMs: 0, heldSince: null };

export function holdAt({ heldMs, heldSince }: Hold, at: number): Hold {
  return { heldMs, heldSince: heldSince ?? at };
}

export function releaseAt({ heldMs, heldSince }: Hold, at: number): Hold {
  return heldSince === null ? { heldMs, heldSince } : { heldMs: heldMs + Math.max(0, at - heldSince), heldSince: null };
}

/** When a deadline passes, if what is held now is held on; never later than `patienceMs` after the deadline itself. */
export function deadlineOf(deadlineAt: number, { heldMs, heldSince }: Hold, now: number, patienceMs: number): number {
  const nowMs = heldSince === null ? 0 : Math.max(0, now - heldSince);
  return deadlineAt + Math.min(Math.max(0, patienceMs), heldMs + nowMs);
}
