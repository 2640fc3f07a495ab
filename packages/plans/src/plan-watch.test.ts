// Which plans a watcher is sent, and when.
import { expect, test } from 'vitest';
import { newPlan, type Plan } from './plan.ts';
import { PlanWatch } from './plan-watch.ts';

const planOf = (planId: string): Plan =>
  newPlan({ planId, goalId: planId, title: planId, submittedAt: 0 }, { id: planId, correlationId: planId });
const plansOf = (...ids: string[]): Map<string, Plan> => new Map(ids.map((planId) => [planId, planOf(planId)]));
const named = (sent: Plan | 'synced' | null): string | null =>
  sent === null || sent === 'synced' ? sent : sent.planId;

/** A watcher that has been sent all of these plans. */
function synced(plans: ReadonlyMap<string, Plan>, filter = {}): PlanWatch {
  const watch = new PlanWatch(filter);
  watch.begin(plans, -1_000);
  while (watch.next(plans, -1_000) !== 'synced');
  return watch;
}

test('each plan is sent once, then that it was all, also when there is none', () => {
  const plans = plansOf('a', 'b');
  const watch = new PlanWatch({});
  watch.begin(plans, 0);
  expect([0, 0, 0, 0].map((now) => named(watch.next(plans, now)))).toEqual(['a', 'b', 'synced', null]);
  const none = new PlanWatch({});
  none.begin(new Map(), 0);
  expect([0, 0].map((now) => none.next(new Map(), now))).toEqual(['synced', null]);
});

test('a plan that changes all the time is sent at once, and then at most twice a second', () => {
  const plans = plansOf('a');
  const watch = synced(plans);
  const sent: number[] = [];
  for (let now = 0; now < 2_000; now += 10) {
    watch.changed('a', now);
    if (watch.next(plans, now) !== null) sent.push(now);
  }
  expect(sent).toEqual([0, 500, 1_000, 1_500]);
});

test('a change is never lost: a plan that changed after it was sent is due after the pause', () => {
  const plans = plansOf('a');
  const watch = synced(plans);
  watch.changed('a', 0);
  expect([named(watch.next(plans, 0)), watch.nextAt]).toEqual(['a', Infinity]);
  watch.changed('a', 1);
  expect([watch.next(plans, 1), watch.nextAt, named(watch.next(plans, 500))]).toEqual([null, 500, 'a']);
});

test('a plan that waits for its pause delays no other', () => {
  const plans = plansOf('a', 'b');
  const watch = synced(plans);
  watch.changed('a', 0);
  watch.next(plans, 0);
  watch.changed('a', 1);
  watch.changed('b', 2);
  expect([named(watch.next(plans, 2)), watch.next(plans, 2)]).toEqual(['b', null]);
});

test('a watcher of one plan is sent no other, and one of a state also that a plan no longer has it', () => {
  const plans = plansOf('a', 'b');
  const one = synced(plans, { planId: 'b' });
  for (const planId of ['a', 'b']) one.changed(planId, 0);
  expect([named(one.next(plans, 0)), one.next(plans, 0)]).toEqual(['b', null]);
  const planning = synced(plans, { state: 'planning' });
  for (const plan of plans.values()) plan.status = 'running';
  planning.changed('a', 0);
  expect(named(planning.next(plans, 0))).toBe('a');
  planning.changed('a', 500);
  expect(planning.next(plans, 500)).toBe(null);
});

test('a plan that is no longer kept is passed over', () => {
  const watch = new PlanWatch({});
  watch.begin(plansOf('a', 'b'), 0);
  expect(named(watch.next(plansOf('b'), 0))).toBe('b');
  expect(watch.next(plansOf('b'), 0)).toBe('synced');
});
