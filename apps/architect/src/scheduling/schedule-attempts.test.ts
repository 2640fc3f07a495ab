// When the Architect takes an attempt back.
import { describe, expect, test } from 'vitest';
import { sampleAgent } from '../../test/sample-swarm.ts';
import { started, assignmentOf, published } from '../../test/scheduling/plans.ts';
import { Simulation } from '../../test/scheduling/simulation.ts';

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

  test('an agent with a long lease sleeps between calls, and has longer to accept, but not beyond the deadline', () => {
    const sleeper = { ...sampleAgent('ada', ['work']), leaseMs: 90_000 };
    const simulation = new Simulation([sleeper, sampleAgent('eve', ['work'])], { taskDeadlineMs: 60_000 });
    const planId = started(simulation);
    expect(assignmentOf(simulation, planId)).toMatchObject({ agent: 'ada', acceptBy: simulation.now + 45_000 });
    simulation.now += 44_999;
    expect(simulation.decide()).toEqual([]);
    simulation.now += 1;
    simulation.settle();
    expect(assignmentOf(simulation, planId)).toMatchObject({ agent: 'eve', attempt: 2 });
    const patient = new Simulation([{ ...sleeper, leaseMs: 900_000 }], { taskDeadlineMs: 60_000 });
    expect(assignmentOf(patient, started(patient))?.acceptBy).toBe(patient.now + 60_000);
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
