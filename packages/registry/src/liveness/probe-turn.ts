// How long one turn of probing may take, so that no agent is probed by two replicas at once, whatever the settings are.

/** Times between two probes of an agent are spread by a tenth. */
const SHORTEST_INTERVAL = 0.9;
/** Left for the claim, and for a process that is busy. */
const SLACK = 0.1;
/** The largest part of the interval that a probe itself may take: the rest of its turn is for waiting. */
const LONGEST_TIMEOUT = 0.6;

export interface ProbeTurn {
  /** How long a probe may take, in milliseconds: the timeout as it is set, but not more than three fifths of the interval. */
  readonly timeoutMs: number;
  /** How long it may wait for its turn before, in milliseconds. */
  readonly maxWaitMs: number;
}

/** A turn ends before the same agent is due again. */
export function probeTurn({ intervalMs, timeoutMs }: { intervalMs: number; timeoutMs: number }): ProbeTurn {
  const bounded = Math.min(timeoutMs, intervalMs * LONGEST_TIMEOUT);
  return { timeoutMs: bounded, maxWaitMs: intervalMs * (SHORTEST_INTERVAL - SLACK) - bounded };
}
