// What the Architect decides about a plan as a whole.
import { LIMITS } from '@hypercode/contracts';
import { checkpointOf } from '@hypercode/plans';
import { describe, expect, test } from 'vitest';
import { NOW, sampleAgent, sampleGoal, sampleStep } from '../../test/sample-swarm.ts';
import { started, assignmentOf, published, nested, TIME } from '../../test/scheduling/plans.ts';
import { Simulation } from '../../test/scheduling/simulation.ts';

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

  test('a plan that is retried goes on from its failed task, and can fail and be retried again', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation, [sampleStep('a'), sampleStep('b', ['a'])]);
    const answer = (kind: string, taskId: string, attempt: number): void => {
      simulation.answer('ada', kind, {
        ...{ planId, taskId, attempt },
        ...(kind === 'failed' ? { error: { message: 'no key', retryable: false } } : {}),
      });
      simulation.settle();
    };
    const retry = (): void => {
      simulation.publish('plan.retry', { planId }, { source: '/operators/test' });
      simulation.now += 600_000;
      simulation.settle();
    };
    answer('completed', 'a', 1);
    answer('failed', 'b', 1);
    expect(simulation.plan(planId).status).toBe('failed');
    retry();
    expect(assignmentOf(simulation, planId, 'b')).toMatchObject({ agent: 'ada', attempt: 2 });
    answer('failed', 'b', 2);
    expect(simulation.plan(planId).status).toBe('failed');
    expect(published(simulation, 'plan.failed')).toMatchObject([{ retries: 0 }, { retries: 1 }]);
    simulation.ledger = simulation.replay();
    retry();
    answer('completed', 'b', 3);
    expect(simulation.plan(planId)).toMatchObject({ status: 'completed', retries: 2 });
    expect(published(simulation, 'task.ada.assigned').map((data) => Object(data).taskId)).toEqual(['a', 'b', 'b', 'b']);
  });
});
