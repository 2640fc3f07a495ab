// Random swarms whose agents fail, leave and answer late.
import { LIMITS } from '@hypercode/contracts';
import { checkpointOf, type Plan, statusOf } from '@hypercode/plans';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sampleAgent, sampleGoal, sampleStep } from '../../test/sample-swarm.ts';
import { started, assignmentOf, published, nested } from '../../test/scheduling/plans.ts';
import { Simulation } from '../../test/scheduling/simulation.ts';

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

/** What a checkpoint keeps of a plan: all but when it was written, and which events led to it. */
const keptOf = ({ writtenAt: _at, causationId: _cause, tasks, ...plan }: Plan) => ({
  ...plan,
  tasks: new Map([...tasks].map(([taskId, { causationId: _, ...task }]) => [taskId, task])),
});

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
        const before = simulation.plan(planId);
        for (const part of checkpointOf(before, crypto.randomUUID())) {
          simulation.publish('architect.architect.checkpoint', part, { correlationId: before.correlationId });
        }
        simulation.ledger = simulation.replay(from);
        expect(keptOf(simulation.plan(planId))).toEqual({ ...keptOf(before), ready: expect.anything() });
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
    const before = simulation.plan(planId);
    for (const part of checkpointOf(before, crypto.randomUUID())) {
      simulation.publish('architect.architect.checkpoint', part, { correlationId: before.correlationId });
    }
    const restored = simulation.replay(from).plans.get(planId);
    expect(restored === undefined ? null : keptOf(restored)).toEqual(keptOf(before));
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
