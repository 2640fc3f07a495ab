// When a plan is to be written down again: before half of what the log keeps has passed since the last time.
import type { LogInfo } from '@hypercode/contracts';

/** What the log had ever had at some time. */
export interface LogMark {
  readonly events: number;
  readonly bytes: number;
}

/** What is known of when a plan was last written down as a whole. */
export interface Written {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The log before that, or earlier. */
  readonly from: LogMark;
  /** The log when all that was written in that round was in it, or earlier. */
  readonly to: LogMark;
}

/** A part of the half, so that there is time left to write. */
const SHARE = 0.4;
/**
 * Of the log, that must have come since the last round. Where the plans that run take so much of the log that writing them is what
 * makes them due, they are written again for each tenth that others say, and not without end.
 */
const SHARE_OF_OTHERS = 0.1;

export const markOf = (log: LogInfo): LogMark => ({
  events: log.removed + log.kept,
  bytes: log.removedBytes + log.keptBytes,
});

/** By age, by count and by bytes, each against the log's limit. */
export function isCheckpointDue({ at, from, to }: Written, log: LogInfo, now: number): boolean {
  const { maxAgeMs, maxEvents, maxBytes } = log.retention;
  if (now - at > maxAgeMs * SHARE) return true;
  const { events, bytes } = markOf(log);
  const hasPassed = (since: LogMark, share: number): boolean =>
    events - since.events > maxEvents * share || bytes - since.bytes > maxBytes * share;
  return hasPassed(from, SHARE) && hasPassed(to, SHARE_OF_OTHERS);
}
