// What a probe of a healthUrl says about the agent behind it. Pure.
import type { Activity } from '@hypercode/contracts';
import type { ProbeResult } from '../probes/probe.ts';

/** What the agent has said of itself before. */
export interface ProbedAgent {
  readonly activity: Activity;
  /** Whether its lease runs: it was heard of within the lease. */
  readonly leaseLive: boolean;
}

/** `activity` is what the answer reports, null when it says nothing about it. */
export type ProbeOutcome =
  | { readonly outcome: 'success'; readonly activity: Activity | null }
  | { readonly outcome: 'failure'; readonly reason: string }
  /** Neither good nor bad: it moves no count and is no trial. */
  | { readonly outcome: 'ignored'; readonly reason: string };

/**
 * Judges one probe:
 *
 * - any 2xx answer is a success, whatever activity it reports;
 * - a probe that was given up on this side says nothing;
 * - paused and draining agents are shown, not failed: nothing that goes wrong counts. Their lease goes on to show whether
 *   they live;
 * - a busy agent whose lease runs may be slow: a timeout does not count;
 * - all else is a failure, so also an address that may not be probed: the agent asked to be judged by it, and ought to be
 *   told.
 */
export function judgeProbe(result: ProbeResult, { activity, leaseLive }: ProbedAgent): ProbeOutcome {
  if (result.ok) return { outcome: 'success', activity: result.activity };
  const { kind, reason } = result;
  const isResting = activity === 'paused' || activity === 'draining';
  const mayBeSlow = activity === 'busy' && leaseLive && kind === 'timeout';
  return { outcome: kind === 'aborted' || isResting || mayBeSlow ? 'ignored' : 'failure', reason };
}
