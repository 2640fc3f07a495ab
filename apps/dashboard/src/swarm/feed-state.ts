// Where a live view stands: whether it is whole, and since when it is not.

/**
 * - `opening`: nothing has come yet.
 * - `live`: whole, and following.
 * - `interrupted`: as it was at `since`; it will be resumed. `reason` says what happened.
 * - `refused`: it will not be resumed.
 */
export type FeedState =
  | { readonly state: 'opening' }
  | { readonly state: 'live' }
  | { readonly state: 'interrupted'; readonly sinceMs: number; readonly reason: string }
  | { readonly state: 'refused'; readonly reason: string };

/** Of all views together: the worst, and the earliest interruption. */
export function worstOf(states: readonly FeedState[]): FeedState {
  const refused = states.find(({ state }) => state === 'refused');
  if (refused !== undefined) return refused;
  const interrupted = states.filter((one) => one.state === 'interrupted').toSorted((a, b) => a.sinceMs - b.sinceMs);
  if (interrupted[0] !== undefined) return interrupted[0];
  return states.some(({ state }) => state === 'opening') ? { state: 'opening' } : { state: 'live' };
}
