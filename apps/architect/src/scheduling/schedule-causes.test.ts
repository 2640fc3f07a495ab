// What the events of the Architect say of what led to them: from each, the way up ends at the goal.
import type { Correlation } from '@hypercode/client';
import { checkpointOf } from '@hypercode/plans';
import { describe, expect, test } from 'vitest';
import { sampleAgent, sampleGoal, sampleStep } from '../../test/sample-swarm.ts';
import { started } from '../../test/scheduling/plans.ts';
import { Simulation } from '../../test/scheduling/simulation.ts';

const TRACEPARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

/** Each event as `topic of task`, and the one that it was caused by, in the same words. */
function causesIn({ log }: Simulation): [event: string, cause: string | null][] {
  const nameOf = ({ topic, data }: (typeof log)[number]): string => {
    const { taskId, attempt } = Object(data) as { taskId?: string; attempt?: number };
    return taskId === undefined ? topic : `${topic} ${taskId}/${attempt}`;
  };
  const names = new Map(log.map((event) => [event.id, nameOf(event)]));
  return log.map((event) => [nameOf(event), names.get(event.causationId ?? '') ?? event.causationId ?? null]);
}

/** A plan of `a`, and of `b` that depends on it. */
const ofTwo = [sampleStep('a'), sampleStep('b', ['a'])];

describe('an event of the Architect', () => {
  test('was caused by the event that let the task or the plan go on', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation, ofTwo);
    const error = { message: 'no luck', retryable: true };
    simulation.now += 10_000;
    simulation.answer('ada', 'failed', { planId, taskId: 'a', attempt: 1, error });
    simulation.settle();
    simulation.answer('ada', 'completed', { planId, taskId: 'a', attempt: 2, output: 1 });
    simulation.settle();
    simulation.answer('ada', 'completed', { planId, taskId: 'b', attempt: 1, output: 2 });
    simulation.settle();
    expect(causesIn(simulation)).toEqual([
      ['goal.submitted', null],
      ['plan.created', 'goal.submitted'],
      ['task.ada.assigned a/1', 'plan.created'],
      ['task.ada.failed a/1', 'task.ada.assigned a/1'],
      ['task.ada.assigned a/2', 'task.ada.failed a/1'],
      ['task.ada.completed a/2', 'task.ada.assigned a/2'],
      ['task.ada.assigned b/1', 'task.ada.completed a/2'],
      ['task.ada.completed b/1', 'task.ada.assigned b/1'],
      ['plan.completed', 'task.ada.completed b/1'],
    ]);
  });

  test('that takes a task back was caused by its assignment, or by what ended the plan', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work']), sampleAgent('bob', ['work'])]);
    const planId = started(simulation);
    simulation.now += 60_000;
    simulation.settle();
    simulation.publish('goal.cancelled', { goalId: sampleGoal().goalId, reason: 'not wanted' });
    simulation.settle();
    expect(simulation.plan(planId).status).toBe('cancelled');
    expect(causesIn(simulation).slice(3)).toEqual([
      ['task.ada.cancelled a/1', 'task.ada.assigned a/1'],
      ['task.bob.assigned a/2', 'task.ada.cancelled a/1'],
      ['goal.cancelled', null],
      ['plan.cancelled', 'goal.cancelled'],
      ['task.bob.cancelled a/2', 'plan.cancelled'],
    ]);
  });

  test('follows from a retry of the plan', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation);
    const error = { message: 'no luck', retryable: false };
    simulation.answer('ada', 'failed', { planId, taskId: 'a', attempt: 1, error });
    simulation.settle();
    simulation.publish('plan.retry', { planId });
    simulation.settle();
    expect(causesIn(simulation).slice(3)).toEqual([
      ['task.ada.failed a/1', 'task.ada.assigned a/1'],
      ['plan.failed', 'task.ada.failed a/1'],
      ['plan.retry', null],
      ['task.ada.assigned a/2', 'plan.retry'],
    ]);
  });

  test.each<[string, Partial<Correlation>]>([
    ['of the goal', { correlationId: 'order-7', traceparent: TRACEPARENT }],
    ['that the goal begins', {}],
  ])('belongs to the conversation %s, and to its trace', (_, correlation) => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = simulation.submit(sampleGoal({ steps: ofTwo }), correlation);
    simulation.settle();
    simulation.answer('ada', 'completed', { planId, taskId: 'a', attempt: 1, output: 1 });
    simulation.settle();
    const [goal, ...others] = simulation.log;
    const { correlationId = goal?.id, traceparent } = correlation;
    const expected = { correlationId, traceparent };
    for (const event of others) {
      expect({ correlationId: event.correlationId, traceparent: event.traceparent }).toEqual(expected);
    }
    expect(others.map(({ topic }) => topic)).toContain('task.ada.assigned');
  });

  test('that could not be understood is rejected in its own conversation', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation);
    simulation.log.length = 0;
    simulation.ledger.apply(
      {
        ...{ id: '33333333-3333-4333-8333-333333333333', topic: 'task.ada.completed', namespace: 'default' },
        ...{ source: '/agents/default/ada', time: '2026-01-01T00:00:00Z', data: { planId }, correlationId: 'order-7' },
      },
      'log-9',
    );
    simulation.settle();
    expect(simulation.log).toMatchObject([
      {
        topic: 'task.ada.rejected',
        correlationId: 'order-7',
        causationId: '33333333-3333-4333-8333-333333333333',
      },
    ]);
  });

  test('follows from a checkpoint where the events before it are gone', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = simulation.submit(sampleGoal({ steps: ofTwo }), { correlationId: 'order-7' });
    simulation.settle();
    const before = simulation.log.length;
    simulation.answer('ada', 'completed', { planId, taskId: 'a', attempt: 1, output: 1 });
    const plan = simulation.plan(planId);
    for (const part of checkpointOf(plan, crypto.randomUUID())) {
      simulation.publish('architect.architect.checkpoint', part, { correlationId: plan.correlationId });
    }
    simulation.ledger = simulation.replay(before + 1);
    simulation.settle();
    const [checkpoint, assigned] = simulation.log.slice(before + 1);
    expect(assigned).toMatchObject({
      topic: 'task.ada.assigned',
      correlationId: 'order-7',
      causationId: checkpoint?.id,
    });
  });
});
