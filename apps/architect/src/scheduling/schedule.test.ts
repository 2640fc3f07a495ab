// What the Architect decides: examples, and random swarms whose agents fail, leave and answer late.
import { type Json, LIMITS } from '@hypercode/contracts';
import { checkpointOf, statusOf } from '@hypercode/plans';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NOW, sampleAgent, sampleGoal, sampleStep } from '../../test/sample-swarm.ts';
import { Simulation } from '../../test/scheduling/simulation.ts';

const started = (simulation: Simulation, steps = [sampleStep('a')], goal = {}): string => {
  const planId = simulation.submit(sampleGoal({ steps, ...goal }));
  simulation.settle();
  return planId;
};
const assignmentOf = (simulation: Simulation, planId: string, taskId = 'a') =>
  simulation.plan(planId).tasks.get(taskId)?.assignment ?? null;
const published = (simulation: Simulation, topic: string): unknown[] =>
  simulation.log.filter((event) => event.topic === topic).map(({ data }) => data);

/** JSON of so many levels. */
const nested = (levels: number): Json => (levels === 0 ? null : [nested(levels - 1)]);
const TIME = '2026-01-02T00:00:00Z';

describe('a plan', () => {
  test('a plan runs its tasks in the order of their dependencies, and passes their outputs on', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation, [sampleStep('b', ['a']), sampleStep('a')]);
    expect([...simulation.plan(planId).open]).toEqual(['a']);
    simulation.answer('ada', 'completed', { planId, taskId: 'a', attempt: 1, output: { n: 1 } });
    simulation.settle();
    expect(published(simulation, 'task.ada.assigned').at(-1)).toMatchObject({
      taskId: 'b',
      dependencies: { a: { n: 1 } },
    });
    simulation.answer('ada', 'completed', { planId, taskId: 'b', attempt: 1, output: 'done' });
    simulation.settle();
    expect(simulation.plan(planId).status).toBe('completed');
    expect(published(simulation, 'plan.completed')).toMatchObject([
      { outputs: { a: { n: 1 }, b: 'done' }, omitted: 0 },
    ]);
  });

  test('a plan fails at its deadline, and its open tasks are cancelled', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation, undefined, { deadlineMs: 1_000 });
    expect(assignmentOf(simulation, planId)?.deadlineAt).toBe(NOW + 1_000);
    simulation.now += 1_000;
    simulation.settle();
    expect(simulation.plan(planId)).toMatchObject({ status: 'failed', reason: expect.stringContaining('deadline') });
    expect(published(simulation, 'task.ada.cancelled')).toMatchObject([{ taskId: 'a', attempt: 1 }]);
    expect(simulation.ledger.openTasksOf('ada')).toBe(0);
  });

  test('a plan is cancelled on request', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation);
    simulation.publish('goal.cancelled', { goalId: sampleGoal().goalId, reason: 'changed our minds' });
    simulation.settle();
    expect(simulation.plan(planId)).toMatchObject({ status: 'cancelled', reason: 'changed our minds' });
    expect(published(simulation, 'task.ada.cancelled')).toHaveLength(1);
  });

  test('a plan of another Architect gets no action', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = simulation.submit(sampleGoal({ steps: [sampleStep('a')] }));
    const [action] = simulation.decide();
    expect(action).toMatchObject({ kind: 'plan' });
    simulation.publish(
      'plan.created',
      {
        planId,
        goalId: sampleGoal().goalId,
        title: 'x',
        tasks: [{ taskId: 'a', title: 'a', capability: 'work', dependsOn: [] }],
        planner: 'steps',
        missing: [],
        deadlineAt: null,
      },
      { source: '/agents/default/other' },
    );
    expect(simulation.decide()).toEqual([]);
  });

  test('another Architect cannot end a plan, assign or cancel its tasks, or write its checkpoint', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation, [sampleStep('a'), sampleStep('b', ['a'])]);
    const { goalId } = sampleGoal();
    const before = structuredClone(simulation.plan(planId));
    const other = { source: '/agents/default/other' };
    const task = { planId, taskId: 'a' };
    simulation.publish('plan.failed', { planId, goalId, reason: 'forged' }, other);
    simulation.publish('plan.completed', { planId, goalId, outputs: {} }, other);
    simulation.publish('plan.cancelled', { planId, goalId, reason: 'forged' }, other);
    simulation.publish('task.ada.cancelled', { ...task, attempt: 1, reason: 'forged' }, other);
    const assigned = { goalId, capability: 'work', title: 'x', input: null, dependencies: {}, deadlineAt: TIME };
    simulation.publish('task.other.assigned', { ...task, attempt: 2, ...assigned }, other);
    simulation.answer('other', 'completed', { ...task, attempt: 2, output: 'forged' });
    for (const part of checkpointOf({ ...before, completed: 2 }, crypto.randomUUID())) {
      simulation.publish('architect.other.checkpoint', part, other);
    }
    const rejections = [expect.objectContaining({ topic: 'task.other.completed' })];
    expect(simulation.plan(planId)).toEqual({ ...before, rejections });
    expect(simulation.replay().plans.get(planId)).toEqual({ ...before, rejections });
  });

  test('another Architect cannot end a plan whose beginning is no longer on the bus', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation, [sampleStep('a'), sampleStep('b', ['a'])]);
    const parts = checkpointOf(simulation.plan(planId), crypto.randomUUID());
    const from = simulation.log.length;
    simulation.answer('ada', 'completed', { planId, taskId: 'a', attempt: 1, output: 'a' });
    const { goalId } = sampleGoal();
    simulation.publish('plan.failed', { planId, goalId, reason: 'forged' }, { source: '/agents/default/other' });
    for (const part of parts) simulation.publish('architect.architect.checkpoint', part);
    expect(simulation.replay(from).plans.get(planId)).toMatchObject({ status: 'running', completed: 1 });
  });

  test('a goal that is submitted again gets no second plan, also when its plan is no longer kept', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'], { labels: { 'max-tasks': '1000' } })]);
    const planId = started(simulation);
    simulation.answer('ada', 'completed', { planId, taskId: 'a', attempt: 1 });
    simulation.settle();
    for (let n = 0; n < 250; n += 1) {
      const other = started(simulation, undefined, { goalId: crypto.randomUUID() });
      simulation.answer('ada', 'completed', { planId: other, taskId: 'a', attempt: 1 });
      simulation.settle();
    }
    expect(simulation.ledger.plans.size).toBe(200);
    simulation.submit(sampleGoal({ steps: [sampleStep('a')] }));
    expect(simulation.decide()).toEqual([]);
    expect(simulation.replay().plans.size).toBe(200);
  });

  test('ended plans are forgotten sooner when they are large, except the last one', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'], { labels: { 'max-tasks': '1000' } })]);
    const output = 'x'.repeat(LIMITS.eventBytes - 1024);
    for (let n = 0; n < 2; n += 1) {
      const steps = Array.from({ length: 80 }, (_, i) => sampleStep(`t${i}`));
      const planId = started(simulation, steps, { goalId: crypto.randomUUID() });
      for (const { id } of steps) simulation.answer('ada', 'completed', { planId, taskId: id, attempt: 1, output });
      simulation.settle();
      expect(simulation.plan(planId).status).toBe('completed');
    }
    expect(simulation.ledger.plans.size).toBe(1);
  });

  test('outputs that do not fit into the event of a completed plan are references to their own events', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'], { labels: { 'max-tasks': '9' } })]);
    const outputs = {
      large: 'x'.repeat(LIMITS.eventBytes - 512),
      deep: nested(LIMITS.jsonDepth - 1),
      lookalike: { ref: 'an output' },
      fine: 1,
    };
    const planId = started(
      simulation,
      Object.keys(outputs).map((id) => sampleStep(id)),
    );
    for (const [taskId, output] of Object.entries(outputs)) {
      simulation.answer('ada', 'completed', { planId, taskId, attempt: 1, output });
    }
    simulation.settle();
    const { goalId } = sampleGoal();
    const [completed] = published(simulation, 'plan.completed');
    expect(completed).toMatchObject({ planId, goalId, outputs: { fine: 1 }, omitted: 0 });
    for (const id of ['large', 'deep', 'lookalike'] as const) {
      const { ref } = Object(completed).outputs[id];
      expect(Object(simulation.at(ref)?.data).output).toEqual(outputs[id]);
    }
  });

  test('a plan fails when no agent can do a task for longer than the patience', () => {
    const simulation = new Simulation([sampleAgent('ada', ['rest'])]);
    const planId = started(simulation);
    simulation.now += 29_999;
    expect(simulation.decide()).toEqual([]);
    simulation.now += 1;
    simulation.settle();
    expect(simulation.plan(planId)).toMatchObject({
      status: 'failed',
      reason: 'the task "a" (do a) found no agent for 30 s: no agent offers "work"',
    });
  });

  test('the patience begins anew for each capability that loses its agents', () => {
    const simulation = new Simulation([sampleAgent('eve', ['rest'])]);
    const planId = started(simulation, [sampleStep('a'), sampleStep('b', [], 'rest')]);
    simulation.now += 20_000;
    simulation.agents.delete('eve');
    simulation.settle();
    simulation.agents.set('ada', sampleAgent('ada', ['work']));
    simulation.settle();
    simulation.now += 29_999;
    simulation.settle();
    expect(simulation.plan(planId).status).toBe('running');
    simulation.now += 1;
    simulation.settle();
    expect(simulation.plan(planId)).toMatchObject({ status: 'failed', reason: expect.stringContaining('"rest"') });
  });

  test('a waiting task is assigned when an agent that can do it arrives', () => {
    const simulation = new Simulation([]);
    const planId = started(simulation);
    simulation.now += 20_000;
    simulation.agents.set('ada', sampleAgent('ada', ['work']));
    simulation.settle();
    expect(assignmentOf(simulation, planId)).toMatchObject({ agent: 'ada' });
  });

  test('a large plan does not delay a small one', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const large = started(
      simulation,
      Array.from({ length: 10 }, (_, i) => sampleStep(`t${i}`)),
    );
    const small = simulation.submit(
      sampleGoal({ goalId: '33333333-3333-4333-8333-333333333333', steps: [sampleStep('s')] }),
    );
    simulation.settle();
    const [first] = simulation.plan(large).open;
    simulation.answer('ada', 'completed', { planId: large, taskId: first, attempt: 1 });
    simulation.settle();
    expect(assignmentOf(simulation, small, 's')).toMatchObject({ agent: 'ada' });
  });
});

describe('a task', () => {
  test.each([
    ['unhealthy', { status: { health: 'unhealthy' } }],
    ['of unknown health', { status: { health: 'unknown' } }],
    ['draining', { status: { activity: 'draining' } }],
    ['paused', { status: { activity: 'paused' } }],
    ['open', { status: { circuit: 'open' } }],
    ['half open', { status: { circuit: 'half_open' } }],
  ] as const)('a task is not given to an agent that is %s', (_, unfit) => {
    const simulation = new Simulation([sampleAgent('ada', ['work'], unfit), sampleAgent('eve', ['work'])]);
    expect(assignmentOf(simulation, started(simulation))).toMatchObject({ agent: 'eve' });
  });

  test('a task goes to the agent with the fewest tasks, and of those to one that is not busy', () => {
    const simulation = new Simulation([
      sampleAgent('ada', ['work'], { status: { activity: 'busy' } }),
      sampleAgent('bob', ['work']),
      sampleAgent('eve', ['work']),
    ]);
    const planId = started(simulation, [sampleStep('a'), sampleStep('b'), sampleStep('c'), sampleStep('d')]);
    const agents = ['a', 'b', 'c', 'd'].map((taskId) => assignmentOf(simulation, planId, taskId)?.agent);
    expect(agents).toEqual(['bob', 'eve', 'ada', 'bob']);
  });

  test('a task waits while all agents have as many tasks as they take', () => {
    const simulation = new Simulation([
      sampleAgent('ada', ['work'], { labels: { 'max-tasks': '3' } }),
      sampleAgent('bob', ['work']),
    ]);
    const planId = started(
      simulation,
      Array.from({ length: 9 }, (_, i) => sampleStep(`t${i}`)),
    );
    expect(simulation.plan(planId).open.size).toBe(5);
    expect(simulation.ledger.openTasksOf('ada')).toBe(3);
  });

  test.each([
    ['leaves', null],
    ['dies', { status: { health: 'unhealthy' } }],
    ['trips', { status: { circuit: 'open' } }],
    ['drains', { status: { activity: 'draining' } }],
    ['is started again', { incarnation: '99999999-9999-4999-8999-999999999999' }],
  ] as const)('a task goes to another agent when its agent %s', (_, change) => {
    const simulation = new Simulation([sampleAgent('ada', ['work']), sampleAgent('eve', ['work'])]);
    const planId = started(simulation);
    expect(assignmentOf(simulation, planId)).toMatchObject({ agent: 'ada', attempt: 1 });
    if (change === null) simulation.agents.delete('ada');
    else simulation.agents.set('ada', sampleAgent('ada', ['work'], change));
    simulation.settle();
    expect(assignmentOf(simulation, planId)).toMatchObject({ agent: 'eve', attempt: 2 });
    expect(published(simulation, 'task.ada.cancelled')).toMatchObject([
      { attempt: 1, reason: expect.stringContaining('ada') },
    ]);
  });

  test('a task goes to another agent after a failure and after its deadline, until its attempts are used up', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work']), sampleAgent('eve', ['work'])]);
    const planId = started(simulation);
    const accept = (): void => {
      const { agent = '', attempt } = assignmentOf(simulation, planId) ?? {};
      simulation.answer(agent, 'accepted', { planId, taskId: 'a', attempt });
    };
    simulation.answer('ada', 'failed', { planId, taskId: 'a', attempt: 1, error: { message: 'no luck' } });
    simulation.settle();
    expect(assignmentOf(simulation, planId)).toMatchObject({ agent: 'eve', attempt: 2 });
    accept();
    simulation.now += 60_000;
    simulation.settle();
    expect(assignmentOf(simulation, planId)).toMatchObject({ agent: 'ada', attempt: 3 });
    accept();
    simulation.now += 60_000;
    simulation.settle();
    expect(simulation.plan(planId)).toMatchObject({
      status: 'failed',
      reason: 'the task "a" (do a) was tried 3 times without success: the last attempt, by ada, timed out',
    });
  });

  test('a step has as many attempts, and as long for each, as it says', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const step = { ...sampleStep('a'), timeoutMs: 5_000, maxAttempts: 2 };
    const planId = started(simulation, [step, sampleStep('b')]);
    expect(assignmentOf(simulation, planId)?.deadlineAt).toBe(NOW + 5_000);
    expect(assignmentOf(simulation, planId, 'b')?.deadlineAt).toBe(NOW + 60_000);
    simulation.answer('ada', 'completed', { planId, taskId: 'b', attempt: 1 });
    for (const attempt of [1, 2]) {
      expect(assignmentOf(simulation, planId)?.attempt).toBe(attempt);
      // Not accepted either: it has no other task.
      simulation.now += 5_000;
      simulation.settle();
      simulation.now += 1_000;
      simulation.settle();
    }
    expect(simulation.plan(planId)).toMatchObject({
      status: 'failed',
      reason: 'the task "a" (do a) was tried 2 times without success: the last attempt, by ada, timed out',
    });
  });

  test('a task that its agent could not begin in time for another task has not failed', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const step = { ...sampleStep('a'), timeoutMs: 5_000, maxAttempts: 1 };
    const planId = started(simulation, [step, sampleStep('b')]);
    simulation.answer('ada', 'accepted', { planId, taskId: 'b', attempt: 1 });
    simulation.now += 5_000;
    simulation.settle();
    expect(simulation.plan(planId)).toMatchObject({ status: 'running' });
    expect(simulation.plan(planId).tasks.get('a')?.failed).toBe(0);
  });

  test('progress moves the deadline of a step without a limit of its own, and of one that says so', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'], { labels: { 'max-tasks': '4' } })]);
    const steps = [
      sampleStep('a'),
      { ...sampleStep('b'), timeoutMs: 60_000 },
      { ...sampleStep('c'), timeoutMs: 60_000, extendOnProgress: true },
      { ...sampleStep('d'), extendOnProgress: false },
    ];
    const planId = started(simulation, steps);
    simulation.now += 40_000;
    for (const { id: taskId } of steps)
      simulation.answer('ada', 'progress', { planId, taskId, attempt: 1, progress: 0.5 });
    const deadlines = steps.map(({ id }) => (assignmentOf(simulation, planId, id)?.deadlineAt ?? 0) - NOW);
    expect(deadlines).toEqual([100_000, 60_000, 100_000, 60_000]);
    expect(published(simulation, 'task.ada.assigned').map((data) => Object(data).extendOnProgress)).toEqual([
      undefined,
      false,
      undefined,
      false,
    ]);
  });

  test('an assignment says why its agent was chosen', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work']), sampleAgent('eve', ['work', 'other'])]);
    const steps = [sampleStep('a'), sampleStep('b'), sampleStep('c', [], 'other')];
    const planId = started(simulation, steps);
    const reasons = steps.map(({ id }) => simulation.plan(planId).tasks.get(id)?.records.get(1)?.because);
    expect(reasons).toEqual([
      'of 2 agents, this one is first by name of those that are as good',
      'of 2 agents, this one has fewer tasks',
      'only this agent offers the capability',
    ]);
  });

  test('a failed task is tried again after a delay that doubles', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])], { retryDelayMs: 500 });
    const planId = started(simulation);
    const fail = (attempt: number): void =>
      simulation.answer('ada', 'failed', { planId, taskId: 'a', attempt, error: { message: 'x' } });
    fail(1);
    simulation.now += 499;
    expect(simulation.decide()).toEqual([]);
    simulation.now += 1;
    simulation.settle();
    fail(2);
    simulation.now += 999;
    expect(simulation.decide()).toEqual([]);
    simulation.now += 1;
    expect(simulation.decide()).toMatchObject([{ kind: 'assign', attempt: 3 }]);
  });

  test('a failure from years ahead does not delay the next attempt', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])], { retryDelayMs: 500 });
    const planId = started(simulation);
    simulation.now += 10 ** 11;
    simulation.answer('ada', 'failed', { planId, taskId: 'a', attempt: 1, error: { message: 'x' } });
    simulation.now = NOW + 1;
    expect(simulation.decide()).toMatchObject([{ kind: 'assign', attempt: 2 }]);
  });

  test('a failure that is not retryable fails the plan', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation);
    simulation.answer('ada', 'failed', { planId, taskId: 'a', attempt: 1, error: { message: 'no', retryable: false } });
    simulation.settle();
    expect(simulation.plan(planId)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('not retryable'),
    });
  });

  test('of two results of a task the first one counts, and the other attempt is cancelled', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work']), sampleAgent('eve', ['work'])]);
    const planId = started(simulation, [sampleStep('a'), sampleStep('b', ['a'])]);
    simulation.agents.delete('ada');
    simulation.settle();
    simulation.answer('ada', 'completed', { planId, taskId: 'a', attempt: 1, output: 'from ada' });
    simulation.settle();
    expect(published(simulation, 'task.eve.cancelled')).toMatchObject([{ taskId: 'a', attempt: 2 }]);
    simulation.answer('eve', 'completed', { planId, taskId: 'a', attempt: 2, output: 'from eve' });
    simulation.settle();
    expect(simulation.plan(planId).tasks.get('a')?.result).toMatchObject({
      agent: 'ada',
      attempt: 1,
      output: 'from ada',
    });
    expect(simulation.plan(planId).completed).toBe(1);
  });

  test('a result counts only from the agent of the attempt', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work']), sampleAgent('eve', ['work'])]);
    const planId = started(simulation);
    simulation.answer('eve', 'completed', { planId, taskId: 'a', attempt: 1 });
    simulation.answer('ada', 'completed', { planId, taskId: 'a', attempt: 2 });
    expect(simulation.plan(planId).completed).toBe(0);
  });
});

describe('an attempt', () => {
  const draining = { status: { activity: 'draining' } } as const;
  /** Lets the agent that has the task drain; it comes back at once. */
  function drain(simulation: Simulation, planId: string): void {
    const { agent = '' } = assignmentOf(simulation, planId) ?? {};
    simulation.agents.set(agent, sampleAgent(agent, ['work'], draining));
    simulation.settle();
    simulation.agents.set(agent, sampleAgent(agent, ['work']));
    simulation.settle();
  }

  test('an attempt that is taken back because its agent drains does not count as a failure', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work']), sampleAgent('eve', ['work'])]);
    const planId = started(simulation);
    for (let n = 0; n < 10; n += 1) drain(simulation, planId);
    expect(simulation.plan(planId)).toMatchObject({ status: 'running' });
    const { attempt = 0 } = assignmentOf(simulation, planId) ?? {};
    expect(attempt).toBeGreaterThan(10);
    expect(simulation.replay().plans.get(planId)).toEqual(simulation.plan(planId));
  });

  test('a task that is taken back without end fails its plan at last, and is not assigned anew at once each time', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work']), sampleAgent('eve', ['work'])], {
      retryDelayMs: 500,
    });
    const planId = started(simulation);
    let assigned = 0;
    for (let ms = 0; ms < 600_000 && simulation.plan(planId).status === 'running'; ms += 250) {
      if (ms === 2_000) expect(assigned).toBeLessThan(8);
      if (assignmentOf(simulation, planId) !== null) {
        assigned += 1;
        drain(simulation, planId);
      }
      simulation.now += 250;
      simulation.settle();
    }
    expect(simulation.plan(planId)).toMatchObject({ status: 'failed', reason: expect.stringContaining('taken back') });
  });

  test('an attempt that is not accepted in time goes to the next agent, and does not count as a failure', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work']), sampleAgent('eve', ['work'])], { maxAttempts: 1 });
    const planId = started(simulation);
    simulation.now += 14_999;
    expect(simulation.decide()).toEqual([]);
    simulation.now += 1;
    simulation.settle();
    expect(assignmentOf(simulation, planId)).toMatchObject({ agent: 'eve', attempt: 2 });
    expect(published(simulation, 'task.ada.cancelled')).toMatchObject([{ attempt: 1, cause: 'silent' }]);
  });

  test('a progress report moves the deadline of its attempt, however far ahead its clock is', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation);
    const progress = (attempt = 1): void =>
      simulation.answer('ada', 'progress', { planId, taskId: 'a', attempt, progress: 0.5 });
    progress();
    for (let n = 0; n < 10; n += 1) {
      simulation.now += 50_000;
      simulation.settle();
      progress();
    }
    expect(assignmentOf(simulation, planId)).toMatchObject({ attempt: 1, deadlineAt: simulation.now + 60_000 });
    const { now } = simulation;
    simulation.now += 10 ** 11;
    progress();
    simulation.now = now;
    expect(assignmentOf(simulation, planId)?.deadlineAt).toBe(now + 120_000);
  });

  test('an answer that names an attempt that its agent was not given is rejected once, and the plan shows it', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work']), sampleAgent('eve', ['work'])]);
    const planId = started(simulation);
    simulation.answer('eve', 'completed', { planId, taskId: 'a', attempt: 1 });
    simulation.answer('eve', 'progress', { planId, taskId: 'b', attempt: 1, progress: 1 });
    simulation.settle();
    const [first, second] = published(simulation, 'task.eve.rejected');
    expect(first).toMatchObject({ reason: 'attempt 1 at the task "a" was not assigned to eve' });
    expect(second).toMatchObject({ reason: 'the plan has no task "b"' });
    expect(simulation.plan(planId).rejections).toMatchObject([first, second]);
    simulation.ledger = simulation.replay();
    expect(simulation.decide()).toEqual([]);
  });
});

describe('an agent that lets tasks pass', () => {
  const two = () => [sampleAgent('ada', ['work']), sampleAgent('eve', ['work'])];
  const another = (simulation: Simulation, steps = [sampleStep('a')]): string =>
    started(simulation, steps, { goalId: crypto.randomUUID() });
  const complete = (simulation: Simulation, planId: string, taskId = 'a'): void => {
    const { agent = '', attempt } = assignmentOf(simulation, planId, taskId) ?? {};
    simulation.answer(agent, 'completed', { planId, taskId, attempt });
    simulation.settle();
  };

  test.each([
    ['never accepts a task', () => {}],
    [
      'fails a task at once',
      (simulation: Simulation, planId: string) =>
        simulation.answer('ada', 'failed', { planId, taskId: 'a', attempt: 1, error: { message: 'broken' } }),
    ],
    [
      'refuses a task at once',
      (simulation: Simulation, planId: string) =>
        simulation.answer('ada', 'failed', {
          planId,
          taskId: 'a',
          attempt: 1,
          error: { message: 'x', retryable: false },
        }),
    ],
  ])('an agent that %s is asked last, also by an Architect that was restarted', (_, lapse) => {
    const simulation = new Simulation(two());
    const first = started(simulation);
    expect(assignmentOf(simulation, first)).toMatchObject({ agent: 'ada' });
    lapse(simulation, first);
    simulation.now += 15_000;
    simulation.settle();
    if (assignmentOf(simulation, first) !== null) complete(simulation, first);
    for (let n = 0; n < 5; n += 1) {
      if (n === 2) simulation.ledger = simulation.replay();
      const planId = another(simulation);
      expect(assignmentOf(simulation, planId)).toMatchObject({ agent: 'eve', attempt: 1 });
      complete(simulation, planId);
      simulation.now += 60_000;
    }
  });

  test('an agent that lets tasks pass gets those for which the others have no room, after a pause that doubles', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation);
    let attempt = 1;
    for (const pauseMs of [500, 1_000, 2_000, 4_000]) {
      simulation.now += 15_000;
      simulation.settle();
      simulation.now += pauseMs - 1;
      simulation.settle();
      expect(assignmentOf(simulation, planId)).toBeNull();
      simulation.now += 1;
      simulation.settle();
      attempt += 1;
      expect(assignmentOf(simulation, planId)).toMatchObject({ agent: 'ada', attempt });
    }
    complete(simulation, planId);
    expect(simulation.plan(planId).status).toBe('completed');
    expect(simulation.ledger.lapses.of(sampleAgent('ada', ['work']), 'work', simulation.now)).toBeNull();
  });

  test('tasks that an agent lets pass together count once', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'], { labels: { 'max-tasks': '5' } })]);
    started(
      simulation,
      Array.from({ length: 5 }, (_, n) => sampleStep(`t${n}`)),
    );
    simulation.now += 15_000;
    simulation.settle();
    expect(simulation.ledger.lapses.of(sampleAgent('ada', ['work']), 'work', simulation.now)).toMatchObject({
      count: 1,
    });
  });

  test('an agent that was restarted begins anew', () => {
    const simulation = new Simulation(two());
    started(simulation);
    simulation.now += 15_000;
    simulation.settle();
    const incarnation = '99999999-9999-4999-8999-999999999999';
    simulation.agents.set('ada', sampleAgent('ada', ['work'], { incarnation }));
    expect(assignmentOf(simulation, another(simulation))).toMatchObject({ agent: 'ada' });
  });

  test('a checkpoint holds what is known of the agents of its plan', () => {
    const simulation = new Simulation(two());
    const planId = started(simulation);
    simulation.now += 15_000;
    simulation.settle();
    const from = simulation.log.length;
    const { ledger } = simulation;
    for (const part of checkpointOf(simulation.plan(planId), crypto.randomUUID(), ledger.lapses)) {
      simulation.publish('architect.architect.checkpoint', part);
    }
    const known = ledger.lapses.of(sampleAgent('ada', ['work']), 'work', simulation.now);
    expect(known).toMatchObject({ count: 1 });
    expect(simulation.replay(from).lapses.of(sampleAgent('ada', ['work']), 'work', simulation.now)).toEqual(known);
  });

  test('an agent that works on one task keeps those that it has not accepted, until another agent has room', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation, [sampleStep('a'), sampleStep('b')]);
    simulation.answer('ada', 'accepted', { planId, taskId: 'a', attempt: 1 });
    simulation.now += 20_000;
    simulation.settle();
    expect(assignmentOf(simulation, planId, 'b')).toMatchObject({ agent: 'ada', attempt: 1 });
    simulation.agents.set('eve', sampleAgent('eve', ['work']));
    simulation.settle();
    expect(assignmentOf(simulation, planId, 'b')).toMatchObject({ agent: 'eve', attempt: 2 });
    expect(published(simulation, 'task.ada.cancelled')).toMatchObject([{ taskId: 'b', cause: 'moved' }]);
    expect(simulation.ledger.lapses.of(sampleAgent('ada', ['work']), 'work', simulation.now)).toBeNull();
  });

  test('not more tasks move to an agent than it has room for', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'], { labels: { 'max-tasks': '9' } })]);
    const ids = Array.from({ length: 9 }, (_, n) => `t${n}`);
    const planId = started(
      simulation,
      ids.map((id) => sampleStep(id)),
    );
    simulation.answer('ada', 'accepted', { planId, taskId: 't0', attempt: 1 });
    simulation.now += 20_000;
    simulation.agents.set('eve', sampleAgent('eve', ['work']));
    simulation.settle();
    const agents = ids.map((id) => assignmentOf(simulation, planId, id)?.agent);
    expect(agents.filter((agent) => agent === 'eve')).toHaveLength(2);
    expect(agents.filter((agent) => agent === 'ada')).toHaveLength(7);
  });
});

describe('outputs', () => {
  test('outputs that do not fit into an assignment together are handed on by reference, the smaller ones themselves', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'], { labels: { 'max-tasks': '20' } })]);
    const ids = Array.from({ length: 10 }, (_, n) => `part-${n}`);
    const planId = started(simulation, [...ids.map((id) => sampleStep(id)), sampleStep('merge', ids)]);
    const outputs = new Map(ids.map((id, n) => [id, 'é'.repeat(5_000 * (n + 1))]));
    for (const [taskId, output] of outputs)
      simulation.answer('ada', 'completed', { planId, taskId, attempt: 1, output });
    simulation.settle();
    const { dependencies } = Object(published(simulation, 'task.ada.assigned').at(-1));
    expect(Object.keys(dependencies).toSorted()).toEqual(ids.toSorted());
    const references = ids.filter((id) => typeof dependencies[id] !== 'string');
    expect(references.length).toBeGreaterThan(0);
    expect(references).toEqual(ids.slice(-references.length));
    for (const id of references) {
      expect(Object(simulation.at(dependencies[id].ref)?.data)).toMatchObject({ taskId: id, output: outputs.get(id) });
    }
    simulation.answer('ada', 'completed', { planId, taskId: 'merge', attempt: 1, output: 'merged' });
    simulation.settle();
    expect(simulation.plan(planId).status).toBe('completed');
  });

  test('a thousand tasks with the longest ids can be handed on to one', () => {
    const ids = Array.from({ length: 999 }, (_, n) => `${n}-`.padEnd(LIMITS.taskIdLength, 'x'));
    const simulation = new Simulation([sampleAgent('ada', ['work'], { labels: { 'max-tasks': '1000' } })]);
    const planId = started(simulation, [...ids.map((id) => sampleStep(id)), sampleStep('merge', ids)]);
    const output = 'x'.repeat(2_000);
    for (const taskId of ids) simulation.answer('ada', 'completed', { planId, taskId, attempt: 1, output });
    simulation.settle();
    expect(assignmentOf(simulation, planId, 'merge')).not.toBeNull();
  });
});

describe('two Architects', () => {
  const architect = (name: string, rest: Parameters<typeof sampleAgent>[2] = {}) => {
    const topics = { publishes: [`architect.${name}.checkpoint`], subscribes: [] };
    return sampleAgent(name, [], { role: 'architect', topics, ...rest });
  };

  test.each([
    ['the first by name', architect('aaron'), false],
    ['not the first by name', architect('zoe'), true],
    ['unhealthy', architect('aaron', { status: { health: 'unhealthy' } }), true],
    ['paused, since it lacks a right', architect('aaron', { status: { activity: 'paused' } }), true],
    ['no Architect, but has the role', architect('aaron', { topics: { publishes: [], subscribes: [] } }), true],
  ])('whether an Architect plans goals beside another that is %s', (_, other, plans) => {
    const simulation = new Simulation([sampleAgent('ada', ['work']), architect('architect'), other]);
    const planId = simulation.submit(sampleGoal({ steps: [sampleStep('a')] }));
    expect(simulation.decide()).toMatchObject(plans ? [{ kind: 'plan', plan: { planId } }] : []);
  });
});

/** Tasks of which each depends on some of those before it. */
const dags = fc
  .array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 12 })
  .map((rows) =>
    rows.map((row, index) =>
      sampleStep(
        `t${index}`,
        index === 0 ? [] : [...new Set(row.map((n) => `t${n % index}`))],
        index % 3 === 0 ? 'rest' : 'work',
      ),
    ),
  );
const incidents = fc.array(
  fc.record({
    what: fc.constantFrom(
      'complete',
      'complete',
      'complete',
      'fail',
      'leave',
      'return',
      'trip',
      'late',
      'wait',
      'restart',
    ),
    which: fc.nat(),
  }),
  { maxLength: 60 },
);
const NAMES = ['ada', 'bob', 'eve'];

/** A swarm to which these incidents happen; `check` runs after each. */
function play(
  steps: ReturnType<typeof sampleStep>[],
  happenings: readonly { what: string; which: number }[],
  check: (simulation: Simulation, planId: string) => void,
): { simulation: Simulation; planId: string } {
  const simulation = new Simulation(
    NAMES.map((name) => sampleAgent(name, ['work', 'rest'])),
    { maxAttempts: 1000 },
  );
  const planId = started(simulation, steps);
  happen(simulation, planId, happenings, check);
  for (const name of NAMES) simulation.agents.set(name, sampleAgent(name, ['work', 'rest']));
  return { simulation, planId };
}

function happen(
  simulation: Simulation,
  planId: string,
  happenings: readonly { what: string; which: number }[],
  check: (simulation: Simulation, planId: string) => void,
): void {
  const given: { agent: string; taskId: string; attempt: number }[] = [];
  for (const { what, which } of happenings) {
    const name = NAMES[which % NAMES.length] ?? 'ada';
    const open = [...simulation.plan(planId).open].map((taskId) => simulation.plan(planId).tasks.get(taskId));
    const task = open[which % Math.max(1, open.length)];
    const agent = simulation.agents.get(name);
    if (task?.assignment) {
      const { agent: owner, attempt } = task.assignment;
      const attemptOf = { planId, taskId: task.spec.taskId, attempt };
      given.push({ agent: owner, taskId: task.spec.taskId, attempt });
      if (what === 'complete') simulation.answer(owner, 'completed', attemptOf);
      if (what === 'fail') simulation.answer(owner, 'failed', { ...attemptOf, error: { message: 'x' } });
    }
    const late = given[which % Math.max(1, given.length)];
    if (what === 'late' && late !== undefined) {
      const { agent: from, ...of } = late;
      simulation.answer(from, 'completed', { planId, ...of });
    }
    if (what === 'leave') simulation.agents.delete(name);
    if (what === 'return') simulation.agents.set(name, sampleAgent(name, ['work', 'rest']));
    if (what === 'trip' && agent)
      simulation.agents.set(name, { ...agent, status: { ...agent.status, circuit: 'open' } });
    if (what === 'wait') simulation.now += 61_000;
    if (what === 'restart') simulation.ledger = simulation.replay();
    if ([...simulation.agents.values()].every(({ status }) => status.circuit === 'open')) {
      simulation.agents.set(name, sampleAgent(name, ['work', 'rest']));
    }
    simulation.settle();
    check(simulation, planId);
  }
}

/** With all agents back and at work, whatever has happened, the plan completes. */
function finish(simulation: Simulation, planId: string): void {
  simulation.settle();
  for (let round = 0; round < 100 && simulation.plan(planId).status === 'running'; round += 1) {
    if (simulation.plan(planId).open.size === 0) simulation.now += 600_000;
    for (const taskId of simulation.plan(planId).open) {
      const assignment = assignmentOf(simulation, planId, taskId);
      if (assignment === null) continue;
      simulation.answer(assignment.agent, 'completed', { planId, taskId, attempt: assignment.attempt });
    }
    simulation.settle();
  }
}

describe('over any course of events', () => {
  test('each task is assigned only when it is ready, to one agent at a time, and completes once', () => {
    fc.assert(
      fc.property(dags, incidents, (steps, happenings) => {
        const { simulation, planId } = play(steps, happenings, (now, id) => {
          const plan = now.plan(id);
          for (const task of plan.tasks.values()) {
            const needed = task.spec.dependsOn.map((other) => plan.tasks.get(other)?.result ?? null);
            if (task.assignment !== null || task.result !== null) expect(needed).not.toContain(null);
            expect(plan.ready.has(task.spec.taskId)).toBe(plan.status === 'running' && statusOf(task) === 'ready');
          }
          for (const name of NAMES) expect(now.ledger.openTasksOf(name)).toBeLessThanOrEqual(2);
        });
        finish(simulation, planId);
        const plan = simulation.plan(planId);
        expect(plan.status).toBe('completed');
        expect(plan.completed).toBe(steps.length);
        expect(published(simulation, 'plan.completed')).toHaveLength(1);
        expect(plan.open.size).toBe(0);
        const assigned = simulation.log.filter(({ topic }) => topic.endsWith('.assigned'));
        const attempts = assigned.map(({ data }) => JSON.stringify(data, ['taskId', 'attempt']));
        expect(new Set(attempts).size).toBe(attempts.length);
      }),
    );
  });

  test('a ledger that reads the log again is the same', () => {
    fc.assert(
      fc.property(dags, incidents, (steps, happenings) => {
        play(steps, happenings, (now, id) => {
          expect(now.replay().plans.get(id)).toEqual(now.plan(id));
        });
      }),
    );
  });

  test('a plan continues from a checkpoint when the events before it were removed', () => {
    fc.assert(
      fc.property(dags, incidents, fc.nat(), (steps, happenings, when) => {
        const at = when % (happenings.length + 1);
        const { simulation, planId } = play(steps, happenings.slice(0, at), () => {});
        simulation.settle();
        fc.pre(simulation.plan(planId).status === 'running');
        const from = simulation.log.length;
        for (const part of checkpointOf(simulation.plan(planId), crypto.randomUUID())) {
          simulation.publish('architect.architect.checkpoint', part);
        }
        const { writtenAt: _, ...before } = simulation.plan(planId);
        simulation.ledger = simulation.replay(from);
        expect(simulation.plan(planId)).toMatchObject({ ...before, ready: expect.anything() });
        expect(new Set(simulation.plan(planId).ready)).toEqual(before.ready);
        finish(simulation, planId);
        expect(simulation.plan(planId).status).toBe('completed');
      }),
    );
  });

  test('a checkpoint holds the largest and deepest inputs and outputs', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const input = nested(LIMITS.jsonDepth - 3);
    const planId = started(simulation, [
      { ...sampleStep('deep'), input },
      { ...sampleStep('large'), input: '"\\'.repeat(40_000) },
      sampleStep('late', ['deep']),
    ]);
    const output = `${'é'.repeat(40_000)}${'🌊'.repeat(44_000)}`;
    simulation.answer('ada', 'completed', { planId, taskId: 'large', attempt: 1, output });
    simulation.answer('ada', 'completed', { planId, taskId: 'deep', attempt: 1, output: nested(LIMITS.jsonDepth - 1) });
    const from = simulation.log.length;
    for (const part of checkpointOf(simulation.plan(planId), crypto.randomUUID())) {
      simulation.publish('architect.architect.checkpoint', part);
    }
    const { writtenAt: _, ...before } = simulation.plan(planId);
    expect(simulation.replay(from).plans.get(planId)).toMatchObject(before);
  });

  test('facts between the making of a checkpoint and its first part are known from the next one', () => {
    fc.assert(
      fc.property(dags, incidents, incidents, (steps, before, between) => {
        const { simulation, planId } = play(steps, before, () => {});
        simulation.settle();
        fc.pre(simulation.plan(planId).status === 'running');
        const earlier = checkpointOf(simulation.plan(planId), crypto.randomUUID());
        happen(simulation, planId, between, () => {});
        fc.pre(simulation.plan(planId).status === 'running');
        const from = simulation.log.length;
        for (const part of earlier) simulation.publish('architect.architect.checkpoint', part);
        for (const part of checkpointOf(simulation.plan(planId), crypto.randomUUID())) {
          simulation.publish('architect.architect.checkpoint', part);
        }
        const known = simulation.plan(planId);
        const restored = simulation.replay(from).plans.get(planId);
        for (const { spec, result, attempts, records } of known.tasks.values()) {
          expect(restored?.tasks.get(spec.taskId)).toMatchObject({ result, attempts, records });
        }
        expect(restored?.open).toEqual(known.open);
        expect(new Set(restored?.ready)).toEqual(new Set(known.ready));
      }),
    );
  });

  test('a goal that is submitted again does not restart a plan that a checkpoint restores', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation, [sampleStep('a'), sampleStep('b', ['a'])]);
    simulation.answer('ada', 'completed', { planId, taskId: 'a', attempt: 1 });
    const from = simulation.log.length;
    simulation.submit(sampleGoal({ steps: [sampleStep('a'), sampleStep('b', ['a'])] }));
    simulation.publish('goal.submitted', sampleGoal({ steps: [sampleStep('a'), sampleStep('b', ['a'])] }), {
      source: '/operators/another',
    });
    for (const part of checkpointOf(simulation.plan(planId), crypto.randomUUID())) {
      simulation.publish('architect.architect.checkpoint', part);
    }
    simulation.ledger = simulation.replay(from);
    expect(simulation.plan(planId)).toMatchObject({ status: 'running', completed: 1 });
    expect(simulation.decide()).toMatchObject([{ kind: 'assign', task: { spec: { taskId: 'b' } } }]);
  });

  test('a request to cancel counts for a plan that a later checkpoint restores', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation);
    const parts = checkpointOf(simulation.plan(planId), crypto.randomUUID());
    const from = simulation.log.length;
    simulation.publish('goal.cancelled', { goalId: sampleGoal().goalId, reason: 'not wanted' });
    for (const part of parts) simulation.publish('architect.architect.checkpoint', part);
    simulation.ledger = simulation.replay(from);
    simulation.settle();
    expect(simulation.plan(planId)).toMatchObject({ status: 'cancelled', reason: 'not wanted' });
  });

  test('a checkpoint that comes after the end of its plan does not restart the plan', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation);
    simulation.answer('ada', 'completed', { planId, taskId: 'a', attempt: 1 });
    const parts = checkpointOf(simulation.plan(planId), crypto.randomUUID());
    const from = simulation.log.length;
    simulation.settle();
    for (const part of parts) simulation.publish('architect.architect.checkpoint', part);
    simulation.ledger = simulation.replay(from);
    expect(simulation.plan(planId).status).toBe('completed');
    expect(simulation.decide()).toEqual([]);
  });

  test('a plan whose beginning was removed fails with the reason', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation);
    simulation.ledger = simulation.replay(2);
    simulation.settle();
    expect(published(simulation, 'plan.failed')).toMatchObject([
      { planId, reason: expect.stringContaining('no longer on the bus') },
    ]);
  });
});
