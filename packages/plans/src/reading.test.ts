// A ledger that conducts no plan: it keeps what views have, within bounds, whatever is published.
import { expect, test } from 'vitest';
import { applyTo, OURS, planIn, PlanEvents, step } from '../test/plan-events.ts';
import { readFact } from './fact.ts';
import { PlanLedger } from './plan-ledger.ts';
import { viewOf } from './plan-view.ts';
import { UnreadPast } from './unread-past.ts';

const OPERATOR = '/operators/test';
const reader = (): PlanLedger => {
  const ledger = new PlanLedger();
  ledger.caughtUp();
  return ledger;
};

test('a reader keeps no goal and no input, and shows the same as an Architect', () => {
  const log = new PlanEvents();
  const planId = log.create([{ ...step('a'), input: 'x'.repeat(100_000) }, step('b', ['a'])]);
  log.assign('ada', { planId, taskId: 'a', attempt: 1 }, OURS, { because: 'only this agent offers the capability' });
  log.complete('ada', { planId, taskId: 'a', attempt: 1 }, { n: 1 });
  const read = planIn(log.follow(null), planId);
  expect(viewOf(read)).toEqual(viewOf(planIn(log.follow(OURS), planId)));
  expect(JSON.stringify([...read.tasks.values()]).length).toBeLessThan(5_000);
});

test('an output that is too long for a view is a reference in it, by whomever the view is made', () => {
  const log = new PlanEvents();
  const planId = log.create(Array.from({ length: 12 }, (_, n) => step(`t${n}`)));
  for (let n = 0; n < 12; n += 1) {
    log.assign('ada', { planId, taskId: `t${n}`, attempt: 1 });
    log.complete('ada', { planId, taskId: `t${n}`, attempt: 1 }, 'y'.repeat(n === 0 ? 100_000 : 60_000));
  }
  const views = [OURS, null].map((self) => {
    const ledger = new PlanLedger(self);
    ledger.caughtUp();
    for (const [index, event] of log.events.entries()) ledger.apply(event, `log-${index}`);
    return viewOf(planIn(ledger, planId));
  });
  expect(views[0]).toEqual(views[1]);
  expect(views[0]?.outputs).toMatchObject({ t0: { ref: 'log-2' }, t1: 'y'.repeat(60_000), t11: { ref: 'log-24' } });
  expect(JSON.stringify(views[0]).length).toBeLessThan(600_000);
});

test('ten thousand goals without a plan are kept within bounds, and one that gets its plan late is shown', () => {
  const log = new PlanEvents();
  const ledger = reader();
  const goalId = crypto.randomUUID();
  const description = 'z'.repeat(16_000);
  applyTo(ledger, [log.publish('goal.submitted', { goalId, title: 'the first', description }, OPERATOR)]);
  const [planId = ''] = ledger.plans.keys();
  for (let n = 0; n < 10_000; n += 1) {
    const goal = { goalId: crypto.randomUUID(), title: 'x', description };
    applyTo(ledger, [log.publish('goal.submitted', goal, OPERATOR)]);
  }
  expect(ledger.plans.size).toBe(1_000);
  expect(ledger.plans.has(planId)).toBe(false);
  const task = { taskId: 'a', title: 'a', capability: 'work', dependsOn: [] };
  const plan = { planId, goalId, title: 'the first', tasks: [task], planner: 'steps', missing: [], deadlineAt: null };
  applyTo(ledger, [log.publish('plan.created', plan, OURS)]);
  expect(planIn(ledger, planId).status).toBe('running');
});

test('running plans that grow large make room for others', () => {
  const log = new PlanEvents();
  const ledger = reader();
  const title = 'w'.repeat(256);
  for (let n = 0; n < 300; n += 1) {
    const from = log.events.length;
    log.create(Array.from({ length: 500 }, (_, index) => ({ ...step(`t${index}`), title })));
    applyTo(ledger, log.events.slice(from));
  }
  expect(ledger.plans.size).toBeGreaterThan(50);
  expect(ledger.plans.size).toBeLessThan(150);
});

test('of facts of plans whose beginning is gone, those of the plans that were read first are dropped', () => {
  const past = new UnreadPast({ isBounded: true });
  const planIds = Array.from({ length: 400 }, () => crypto.randomUUID());
  for (const planId of planIds) {
    const fact = readFact(
      new PlanEvents().publish(
        'task.ada.completed',
        { planId, taskId: 'a', attempt: 1, output: 'v'.repeat(200_000) },
        '/agents/default/ada',
      ),
    ).fact;
    if (fact.kind === 'task.completed') past.hold(planId, { fact, position: null });
  }
  const held = planIds.filter((planId) => past.take(planId).length > 0);
  expect(held.length).toBeLessThan(170);
  expect(held).toEqual(planIds.slice(-held.length));
});

test('a reader takes up a plan that is written again after its log was lost, and an Architect does not', () => {
  const log = new PlanEvents();
  const planId = log.create([step('a'), step('b', ['a'])]);
  log.assign('ada', { planId, taskId: 'a', attempt: 1 });
  log.complete('ada', { planId, taskId: 'a', attempt: 1 }, 'done');
  const plan = planIn(log.follow(OURS), planId);
  const lost = log.events.length;
  log.checkpoint(plan);
  const ledgers = [reader(), new PlanLedger(OURS)];
  for (const ledger of ledgers) {
    ledger.caughtUp();
    applyTo(ledger, log.events.slice(lost));
  }
  expect(ledgers.map(({ plans }) => plans.size)).toEqual([1, 0]);
  expect(ledgers[0]?.plans.get(planId)).toMatchObject({ status: 'running', completed: 1, ready: new Set(['b']) });
});
