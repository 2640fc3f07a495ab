// Which agents the Architect asks last.
import { checkpointOf } from '@hypercode/plans';
import { describe, expect, test } from 'vitest';
import { sampleAgent, sampleStep } from '../../test/sample-swarm.ts';
import { started, assignmentOf, published } from '../../test/scheduling/plans.ts';
import { Simulation } from '../../test/scheduling/simulation.ts';

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
