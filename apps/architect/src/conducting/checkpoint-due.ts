// When to publish a checkpoint of a plan: before half of the retention of the log has passed since the last one.
import type { LogInfo } from '@hypercode/contracts';

/** The log at some time: all that was ever appended to it. */
export interface LogMark {
  readonly events: number;
  readonly bytes: number;
}

/** When a plan was last written as a whole. */
export interface Written {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The log before the plan was written, or earlier. */
  readonly from: LogMark;
  /** The log after all plans of that round were written, or earlier. */
  readonly to: LogMark;
}

/** Less than half, which leaves time to write. */
const SHARE = 0.4;
/**
 * The share of the log that must have been appended since the end of the last round. Without it, plans that take up
 * most of the log would be due again because of their own checkpoints, without end.
 */
const SHARE_OF_OTHERS = 0.1;

export const markOf = (log: LogInfo): LogMark => ({
  events: log.removed + log.kept,
  bytes: log.removedBytes + log.keptBytes,
});

/** By age, count and bytes, each against the limit of the log. `now` is in milliseconds since the epoch. */
export function isCheckpointDue({ at, from, to }: Written, log: LogInfo, now: number): boolean {
  const { maxAgeMs, maxEvents, maxBytes } = log.retention;
  if (now - at > maxAgeMs * SHARE) return true;
  const { events, bytes } = markOf(log);
  const hasPassed = (since: LogMark, share: number): boolean =>
    events - since.events > maxEvents * share || bytes - since.bytes > maxBytes * share;
  return hasPassed(from, SHARE) && hasPassed(to, SHARE_OF_OTHERS);
}
