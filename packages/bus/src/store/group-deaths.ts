// How many events of a consumer group died, and why.
import { type DeathReason, LIMITS } from '@hypercode/contracts';

/** How many have died of each reason. A reason is cut to about 200 characters. */
export type ReasonCounts = Readonly<Record<string, number>>;

/** Deaths in one group, since the last report. */
export interface DeathReport {
  readonly namespace: string;
  readonly group: string;
  readonly count: number;
  /** Dead letters that the group had no room for, these or older ones. */
  readonly dropped: number;
  readonly reasons: ReasonCounts;
}

/** The least time between two reports of one group, in milliseconds. */
export const DEATHS_INTERVAL_MS = 10_000;
/** Reasons that are counted; another one takes the place of the rarest. */
export const MAX_REASONS = 20;
/** Where a reason is cut, in characters; Redis counts bytes. */
export const REASON_CUT = 200;

/** The commonest first. */
export const commonest = (reasons: ReasonCounts): DeathReason[] =>
  Object.entries(reasons)
    .map(([reason, count]) => ({ reason, count }))
    .toSorted((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1))
    .slice(0, LIMITS.deathReasons);
