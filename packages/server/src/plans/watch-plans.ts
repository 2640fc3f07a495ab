// One watcher of plans: each plan as it is, then each that has changed, at the pace of the watcher.
import type { Clock } from '@hypercode/clock';
import type { GapReason, WatchPlansInput } from '@hypercode/contracts';
import { Alarm, ended, type StreamBatch } from '@hypercode/feed';
import { PendingViews, type Plan } from '@hypercode/plans';
import type { PlanFold, PlanItem } from './plan-fold.ts';

export interface WatchLife {
  readonly clock: Clock;
  /** Ends the stream: silently, or with its reason if that is a SwarmError. */
  readonly signal: AbortSignal;
}

/** What a watcher holds is bounded by the plans that are kept: a plan that changes often while it is not read is sent once. */
export async function* watchPlans(
  fold: PlanFold,
  { planId, state }: Pick<WatchPlansInput, 'planId' | 'state'>,
  { clock, signal }: WatchLife,
): AsyncGenerator<StreamBatch<PlanItem>, void> {
  if (planId !== undefined) await fold.plan(planId, signal);
  const pending = new PendingViews();
  const alarm = new Alarm();
  const ring = (): void => alarm.ring();
  const missing: { reason: GapReason | null } = { reason: null };
  const forget = fold.onChange((change) => {
    if ('reset' in change) missing.reason = change.reset;
    else if (planId === undefined || change.planId === planId) pending.add(change.planId, clock.monotonicMs());
    ring();
  });
  signal.addEventListener('abort', ring);
  /** Plans that were sent and had the state that is asked for: the watcher is also sent that they no longer have it. */
  const matching = new Set<string>();
  const isWanted = (plan: Plan): boolean => {
    const matched = matching.delete(plan.planId);
    if (state === undefined) return true;
    if (plan.status !== state) return matched;
    matching.add(plan.planId);
    return true;
  };
  try {
    while (!ended(signal)) {
      // Each plan as it is.
      const unsent = new Set<string>();
      const plans = await fold.plans(signal);
      missing.reason = null;
      pending.clear();
      matching.clear();
      for (const id of planId === undefined ? plans.keys() : [planId]) {
        unsent.add(id);
        pending.add(id, clock.monotonicMs());
      }
      let isSynced = false;
      while (!ended(signal) && missing.reason === null) {
        if (!isSynced && unsent.size === 0) {
          isSynced = true;
          yield [fold.item({ type: 'synced' })];
          continue;
        }
        const id = pending.take(clock.monotonicMs());
        if (id === null) {
          await waitFor(alarm, { clock, delayMs: pending.nextAt - clock.monotonicMs() });
          continue;
        }
        unsent.delete(id);
        const plan = fold.known(id);
        if (plan !== undefined && isWanted(plan)) yield [fold.itemOf(plan)];
      }
      const { reason } = missing;
      if (reason !== null && !ended(signal)) yield [fold.item({ type: 'reset', reason })];
    }
  } finally {
    signal.removeEventListener('abort', ring);
    forget();
  }
}

/** Settles when the alarm rings, or after the delay; Infinity: never. */
async function waitFor(
  alarm: Alarm,
  { clock, delayMs }: { readonly clock: Clock; readonly delayMs: number },
): Promise<void> {
  const cancel = delayMs === Infinity ? () => {} : clock.schedule(Math.max(0, delayMs), () => alarm.ring());
  await alarm.wait();
  cancel();
}
