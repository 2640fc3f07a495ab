// When a plan is to be written down again: before half of what the log keeps has passed since the last time.
import { LIMITS, type LogInfo } from '@hypercode/contracts';

/** What is known of when a plan was last written down as a whole. */
export interface Written {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** How many events the log had ever had by then; 0 when nobody knows. */
  readonly afterEvents: number;
}

/** A part of the half, so that there is time left to write. */
const SHARE = 0.4;
/** A log that is still small doubles quickly; this many events are nothing. */
const FEW_EVENTS = 1_000;

/**
 * By age, against the log's limit; and by events, against what the log keeps: what it removes is what is oldest, whether for
 * its count or its bytes.
 */
export function isCheckpointDue(written: Written, log: LogInfo, now: number): boolean {
  if (now - written.at > log.retention.maxAgeMs * SHARE) return true;
  const since = log.removed + log.kept - written.afterEvents;
  return since > Math.max(Math.min(FEW_EVENTS, smallestLog(log) * SHARE), log.kept * SHARE);
}

/** How many events the log keeps at least, however large they are. */
export const smallestLog = ({ retention }: LogInfo): number =>
  Math.min(retention.maxEvents, retention.maxBytes / LIMITS.eventBytes);
