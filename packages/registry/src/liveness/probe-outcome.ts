// What the result of a probe means for the agent that the healthUrl belongs to. Pure.
import type { Activity } from '@hypercode/contracts';
import type { ProbeResult } from '../probes/probe.ts';

/** What the agent has reported of itself before. */
export interface ProbedAgent {
  readonly activity: Activity;
  /** Whether its lease runs: its last sign of life was within the lease. */
  readonly leaseLive: boolean;
}

/** `activity` is what the answer reports, null when it reports none. */
export type ProbeOutcome =
  | { readonly outcome: 'success'; readonly activity: Activity | null }
  | { readonly outcome: 'failure'; readonly reason: string }
  /** The core did not come to probe it, so its health is not known: it moves no count and is no trial. */
  | { readonly outcome: 'unprobed'; readonly reason: string }
  /** Neither good nor bad: it moves no count and is no trial. */
  | { readonly outcome: 'ignored'; readonly reason: string };

/**
 * Judges one probe:
 *
 * - any 2xx answer is a success, whatever activity it reports;
 * - a probe that was given up on this side means nothing;
 * - a probe that could not begin in its time makes the health unknown;
 * - paused and draining agents are shown, not failed: no failure counts. Their lease goes on to show whether they live;
 * - a busy agent whose lease runs may be slow: a timeout does not count;
 * - all else is a failure, an address that may not be probed included: the agent asked to be judged by it, and the reason
 *   names it.
 */
export function judgeProbe(result: ProbeResult, { activity, leaseLive }: ProbedAgent): ProbeOutcome {
  if (result.ok) return { outcome: 'success', activity: result.activity };
  const { kind, reason } = result;
  if (kind === 'unprobed') return { outcome: 'unprobed', reason };
  const isResting = activity === 'paused' || activity === 'draining';
  const mayBeSlow = activity === 'busy' && leaseLive && kind === 'timeout';
  return { outcome: kind === 'aborted' || isResting || mayBeSlow ? 'ignored' : 'failure', reason };
}
