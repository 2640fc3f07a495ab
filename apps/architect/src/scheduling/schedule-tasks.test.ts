// What the Architect decides about tasks and their next attempts.
import { describe, expect, test } from 'vitest';
import { NOW, sampleAgent, sampleStep } from '../../test/sample-swarm.ts';
import { started, assignmentOf, published } from '../../test/scheduling/plans.ts';
import { Simulation } from '../../test/scheduling/simulation.ts';

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
