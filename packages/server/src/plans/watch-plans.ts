// One watcher of plans: each plan as it is, then each that has changed, at the pace of the watcher.
import type { Clock } from '@hypercode/clock';
import type { GapReason } from '@hypercode/contracts';
import { Alarm, ended, type StreamBatch } from '@hypercode/feed';
import { type PlanFilter, PlanWatch } from '@hypercode/plans';
import type { PlanFold, PlanItem } from './plan-fold.ts';

export interface WatchLife {
  readonly clock: Clock;
  /** Ends the stream: silently, or with its reason if that is a SwarmError. */
  readonly signal: AbortSignal;
}

/** NOT_FOUND, before the first value, for a plan that is not there. UNAVAILABLE while the plans cannot be read. */
export async function* watchPlans(
  fold: PlanFold,
  filter: PlanFilter,
  { clock, signal }: WatchLife,
): AsyncGenerator<StreamBatch<PlanItem>, void> {
  if (filter.planId !== undefined) await fold.plan(filter.planId, signal);
  const watch = new PlanWatch(filter);
  const alarm = new Alarm();
  const ring = (): void => alarm.ring();
  const missing: { reason: GapReason | null } = { reason: null };
  const forget = fold.onChange((change) => {
    if ('reset' in change) missing.reason = change.reset;
    else watch.changed(change.planId, clock.monotonicMs());
    ring();
  });
  signal.addEventListener('abort', ring);
  try {
    while (!ended(signal)) {
      const plans = await fold.plans(signal);
      missing.reason = null;
      watch.begin(plans, clock.monotonicMs());
      while (!ended(signal) && missing.reason === null) {
        const next = watch.next(plans, clock.monotonicMs());
        if (next === null) await waitFor(alarm, { clock, delayMs: watch.nextAt - clock.monotonicMs() });
        else yield [next === 'synced' ? fold.item({ type: 'synced' }) : fold.itemOf(next)];
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
