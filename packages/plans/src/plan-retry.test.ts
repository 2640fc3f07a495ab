// A failed plan that is retried: what stays, what begins again, and what older events can no longer change.
import { describe, expect, test } from 'vitest';
import { OURS, planIn, PlanEvents, step, THEIRS } from '../test/plan-events.ts';
import { takenBack } from './plan.ts';

/** A plan of three steps that failed at its second. */
function failedPlan(log: PlanEvents): string {
  const planId = log.create([step('a'), step('b', ['a']), step('c', ['b'])]);
  log.assign('ada', { planId, taskId: 'a', attempt: 1 });
  log.complete('ada', { planId, taskId: 'a', attempt: 1 }, 'a');
  log.assign('ada', { planId, taskId: 'b', attempt: 1 });
  log.fail('ada', { planId, taskId: 'b', attempt: 1 });
  log.planFailed(planId);
  return planId;
}

test('a failed plan that is retried runs again: completed tasks stay, and failed ones can be assigned', () => {
  const log = new PlanEvents();
  const planId = failedPlan(log);
  expect(planIn(log.follow(OURS), planId)).toMatchObject({ status: 'failed', ready: new Set() });
  log.retry(planId);
  for (const ledger of [log.follow(OURS), log.read(OURS), log.read(null)]) {
    const plan = planIn(ledger, planId);
    expect(plan).toMatchObject({ status: 'running', retries: 1, reason: null, endedAt: null, ready: new Set(['b']) });
    expect(plan.tasks.get('a')?.result).toMatchObject({ output: 'a' });
    const task = plan.tasks.get('b');
    expect(task).toMatchObject({ failed: 0, failure: null });
    expect(task === undefined ? null : takenBack(task)).toBe(0);
    expect(task?.records.get(1)).toMatchObject({ outcome: 'failed' });
  }
});

test('a retry of a plan that has not failed changes nothing', () => {
  const log = new PlanEvents();
  const planId = log.create([step('a')]);
  const before = structuredClone(planIn(log.follow(OURS), planId));
  log.retry(planId);
  expect(planIn(log.follow(OURS), planId)).toEqual(before);
  log.end(planId);
  log.retry(planId);
  expect(planIn(log.follow(OURS), planId)).toMatchObject({ status: 'completed', retries: 0 });
});

test('retries that come at the same time count once, and the next failure can be retried again', () => {
  const log = new PlanEvents();
  const planId = failedPlan(log);
  log.retry(planId);
  log.retry(planId);
  expect(planIn(log.follow(OURS), planId)).toMatchObject({ status: 'running', retries: 1 });
  log.planFailed(planId, 1);
  log.retry(planId);
  expect(planIn(log.follow(OURS), planId)).toMatchObject({ status: 'running', retries: 2 });
});

test('a plan with a deadline has its whole time again from each retry on', () => {
  const log = new PlanEvents();
  const planId = log.create([step('a')], OURS, 60_000);
  const first = planIn(log.follow(OURS), planId).deadlineAt ?? 0;
  log.planFailed(planId);
  log.retry(planId);
  log.planFailed(planId, 1);
  log.retry(planId);
  expect(planIn(log.follow(OURS), planId).deadlineAt).toBe(first + 4);
});

test('a goal whose plan could not be made is planned again; an invalid one is not', () => {
  const log = new PlanEvents();
  const submit = (goal: object): string => {
    log.publish('goal.submitted', { goalId: crypto.randomUUID(), title: 'x', ...goal }, '/operators/test');
    return [...log.follow(OURS).plans.keys()].at(-1) ?? '';
  };
  const [valid, invalid] = [submit({ description: 'a goal in words' }), submit({ deadlineMs: -1 })];
  for (const planId of [valid, invalid]) {
    log.planFailed(planId);
    log.retry(planId);
  }
  expect(planIn(log.follow(OURS), valid)).toMatchObject({ status: 'planning', goal: { title: 'x' }, retries: 1 });
  expect(planIn(log.follow(OURS), invalid)).toMatchObject({ status: 'failed', retries: 0 });
});

describe('after a checkpoint of the retried plan', () => {
  test('its failure and its retry, which are older, do not end it and do not count again', () => {
    const log = new PlanEvents();
    const planId = log.create([step('a'), step('b', ['a'])]);
    const from = log.events.length;
    log.planFailed(planId);
    log.retry(planId);
    log.checkpoint(planIn(log.follow(OURS), planId));
    const whole = planIn(log.follow(OURS), planId);
    const restored = planIn(log.read(OURS, from), planId);
    const { status, retries, retriedAt, ready } = whole;
    expect(restored).toMatchObject({ status, retries, retriedAt, ready });
  });

  test('it runs, also when only its failure and not its retry is kept', () => {
    const log = new PlanEvents();
    const planId = failedPlan(log);
    const retry = log.retry(planId);
    log.checkpoint(planIn(log.follow(OURS), planId));
    log.events.splice(log.events.indexOf(retry), 1);
    expect(planIn(log.read(OURS), planId)).toMatchObject({ status: 'running', retries: 1, ready: new Set(['b']) });
  });

  test('a checkpoint from before the failure brings nothing of it back', () => {
    const log = new PlanEvents();
    const planId = log.create([step('a')]);
    log.assign('ada', { planId, taskId: 'a', attempt: 1 });
    log.fail('ada', { planId, taskId: 'a', attempt: 1 });
    const before = planIn(log.follow(OURS), planId);
    log.planFailed(planId);
    log.retry(planId);
    // It was made before, and its events came late.
    log.checkpoint(before);
    expect(planIn(log.read(OURS), planId).tasks.get('a')).toMatchObject({ failed: 0, failure: null, forgiven: 1 });
  });
});

test('another source than the owner cannot end a retried plan', () => {
  const log = new PlanEvents();
  const planId = failedPlan(log);
  log.retry(planId);
  log.planFailed(planId, 1, THEIRS);
  expect(planIn(log.follow(OURS), planId)).toMatchObject({ status: 'running' });
});
