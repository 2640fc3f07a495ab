// What a ledger knows, and which plans it keeps. Its behaviour over random courses of events is tested with the
// Architect's schedule.
import { expect, test } from 'vitest';
import { applyTo, OURS, planIn, PlanEvents, step, THEIRS } from '../test/plan-events.ts';
import { PlanLedger } from './plan-ledger.ts';

/** A running plan whose task `a` is assigned to ada. */
function running(log: PlanEvents, source = OURS): string {
  const planId = log.create([step('a'), step('b', ['a'])], source);
  log.assign('ada', { planId, taskId: 'a', attempt: 1 }, source);
  return planId;
}

test('a plan runs from its creation to its end, and each completed task makes the next one ready', () => {
  const log = new PlanEvents();
  const planId = running(log);
  expect(planIn(log.follow(OURS), planId)).toMatchObject({ status: 'running', open: new Set(['a']), ready: new Set() });
  log.complete('ada', { planId, taskId: 'a', attempt: 1 }, { n: 1 });
  expect(planIn(log.follow(OURS), planId)).toMatchObject({ open: new Set(), ready: new Set(['b']), completed: 1 });
  log.end(planId);
  expect(planIn(log.follow(OURS), planId)).toMatchObject({ status: 'completed', ready: new Set() });
});

test('a ledger that reads the past knows the same plans as one that followed from the beginning', () => {
  const log = new PlanEvents();
  const planIds = [running(log), running(log, THEIRS)];
  log.complete('ada', { planId: planIds[0] ?? '', taskId: 'a', attempt: 1 });
  for (const self of [OURS, THEIRS, null]) expect(log.read(self).plans).toEqual(log.follow(self).plans);
});

test('events that are applied a second time change nothing', () => {
  const log = new PlanEvents();
  const planId = running(log);
  log.complete('ada', { planId, taskId: 'a', attempt: 1 });
  const ledger = log.follow(OURS);
  applyTo(ledger, log.events);
  expect(ledger.plans).toEqual(log.follow(OURS).plans);
  expect(ledger.openTasksOf('ada')).toBe(0);
});

test('an answer that cannot be understood waits to be rejected until that is published, and its plan shows it', () => {
  const log = new PlanEvents();
  const planId = running(log);
  const ledger = log.follow(OURS);
  const source = '/agents/default/ada';
  const event = log.publish('task.ada.progress', { planId, taskId: 'a', attempt: 1, progress: 'half' }, source);
  const unknown = log.publish('task.ada.completed', { nonsense: 1 }, source);
  for (const invalid of [event, unknown]) expect(ledger.apply(invalid)).toMatchObject({ kind: null });
  expect([...ledger.rejections()]).toMatchObject([
    { eventId: event.id, source, agent: 'ada', planId },
    { eventId: unknown.id, source, agent: 'ada', planId: null },
  ]);
  expect(planIn(ledger, planId).rejections).toMatchObject([{ eventId: event.id }]);
  for (const { id: eventId } of [event, unknown]) {
    ledger.apply(log.publish('task.ada.rejected', { eventId, reason: 'not understood' }, OURS));
  }
  expect([...ledger.rejections()]).toEqual([]);
});

test('events that cannot be understood take bounded memory', () => {
  const log = new PlanEvents();
  const planId = running(log);
  const ledger = log.follow(OURS);
  for (let n = 0; n < 500; n += 1) ledger.apply(log.publish('task.ada.progress', { planId, n }, OURS));
  expect([...ledger.rejections()]).toHaveLength(100);
  expect(planIn(ledger, planId).rejections).toHaveLength(20);
});

test('a goal without an id has the same one in every ledger, and what is no goal waits to be rejected', () => {
  const log = new PlanEvents();
  log.publish('goal.submitted', { title: 'x', steps: [step('a')] }, '/operators/test');
  const [plan] = log.follow(OURS).plans.values();
  expect(plan).toMatchObject({ status: 'planning', goal: { title: 'x' } });
  expect(log.read(THEIRS).plans.get(plan?.planId ?? '')).toEqual(plan);
  const ledger = new PlanLedger(OURS);
  for (const data of ['a text', 5, null, [], { goalId: 'no uuid', title: 'x' }]) {
    const event = log.publish('goal.submitted', data, '/operators/test');
    expect(ledger.apply(event)).toMatchObject({ kind: null });
    expect([...ledger.rejections()].at(-1)).toMatchObject({
      eventId: event.id,
      source: '/operators/test',
      agent: null,
    });
  }
  expect(ledger.plans.size).toBe(0);
});

test('an invalid event is reported and changes nothing', () => {
  const log = new PlanEvents();
  running(log);
  const ledger = log.follow(OURS);
  const before = structuredClone(ledger.plans);
  const event = log.publish('task.ada.completed', { output: 'of no task' }, THEIRS);
  expect(ledger.apply(event)).toMatchObject({ kind: null, error: { code: 'INVALID_INPUT' } });
  expect(ledger.plans).toEqual(before);
});

test('a checkpoint restores a plan whose beginning is no longer on the bus, with the facts that came after it', () => {
  const log = new PlanEvents();
  const planId = running(log);
  const plan = planIn(log.follow(OURS), planId);
  const from = log.events.length;
  log.complete('ada', { planId, taskId: 'a', attempt: 1 }, 'done');
  log.checkpoint(plan);
  expect(planIn(log.read(OURS, from), planId)).toMatchObject({
    status: 'running',
    completed: 1,
    ready: new Set(['b']),
    isLost: false,
  });
});

test('a running plan without its beginning and without a checkpoint is lost', () => {
  const log = new PlanEvents();
  const planId = running(log);
  expect(planIn(log.read(OURS, 1), planId)).toMatchObject({ status: 'running', isLost: true, owner: OURS });
});

test('of the running plans of other Architects, those that were written longest ago are forgotten', () => {
  const log = new PlanEvents();
  const own = running(log);
  const theirs = Array.from({ length: 200 }, () => running(log, THEIRS));
  const [first = '', second = ''] = theirs;
  log.checkpoint(planIn(log.follow(OURS), first), THEIRS);
  theirs.push(...Array.from({ length: 100 }, () => running(log, THEIRS)));
  const check = (ledger: PlanLedger): void => {
    expect(ledger.plans.size).toBe(201);
    expect(ledger.openTasksOf('ada')).toBe(201);
    for (const planId of [own, first, ...theirs.slice(-199)]) expect(ledger.plans.has(planId)).toBe(true);
    expect(ledger.plans.has(second)).toBe(false);
  };
  check(log.follow(OURS));
  check(log.read(OURS));
  // Later facts do not bring a forgotten plan back.
  log.complete('ada', { planId: second, taskId: 'a', attempt: 1 });
  log.end(second, THEIRS);
  check(log.follow(OURS));
  check(log.read(OURS));
});

test('a reader without plans of its own keeps a bounded number of running plans', () => {
  const log = new PlanEvents();
  for (let n = 0; n < 1_050; n += 1) running(log);
  expect(log.follow(null).plans.size).toBe(1_000);
  expect(log.follow(null).openTasksOf('ada')).toBe(1_000);
  expect(log.follow(OURS).plans.size).toBe(1_050);
});
