// How long an event waits for its next attempt after a handler threw. A bare retry would use up all attempts within milliseconds,
// so that a database that restarts would turn everything into dead letters.

/** A delay that doubles with each attempt, with jitter. */
export interface GrowingDelay {
  /** After the first attempt, in milliseconds. Default 1,000. */
  readonly firstMs?: number | undefined;
  /** The longest, in milliseconds. Default 60,000. */
  readonly maxMs?: number | undefined;
}

/** Milliseconds, a delay that grows, or a function of the attempt (1 for the first) and of what the handler threw. */
export type RedeliveryDelay = number | GrowingDelay | ((attempt: number, error: unknown) => number);

const FIRST_MS = 1_000;
const MAX_MS = 60_000;
/** Nacks with the same delay travel as one call, so the jitter has few values. */
const JITTER_STEPS = 8;

/**
 * Milliseconds after `attempt`: at least half of the delay and less than all of it. With the defaults, five attempts take between
 * 7.5 and 15 s. `random` is at least 0 and below 1.
 */
export function growingDelay(
  attempt: number,
  random: number,
  { firstMs = FIRST_MS, maxMs = MAX_MS }: GrowingDelay = {},
): number {
  const wholeMs = Math.min(maxMs, firstMs * 2 ** (attempt - 1));
  return (wholeMs / 2) * (1 + Math.floor(random * JITTER_STEPS) / JITTER_STEPS);
}
