// What the ledger keeps, and for how long.
import { agentSource } from '@hypercode/contracts';
import { checkpointOf, planIdOf } from '@hypercode/plans';
import { expect, test } from 'vitest';
import { NOW, sampleAgent, sampleStep } from '../scheduling/swarm.ts';
import { Simulation } from '../scheduling/simulation.ts';

const OTHER = agentSource('default', 'another-architect');
const DEADLINE = new Date(NOW + 60_000).toISOString();

/** A plan of another Architect that gives ada a task; its id. */
function othersPlan(simulation: Simulation): string {
  const goalId = crypto.randomUUID();
  const planId = planIdOf(goalId);
  const { id: taskId, ...step } = sampleStep('a');
  const plan = { planId, goalId, title: 'theirs', planner: 'steps', missing: [], deadlineAt: null };
  simulation.say('plan.created', { ...plan, tasks: [{ taskId, ...step }] }, { source: OTHER });
  const task = { planId, goalId, taskId, attempt: 1, capability: 'work', title: 'a', input: null, dependencies: {} };
  simulation.say('task.ada.assigned', { ...task, deadlineAt: DEADLINE, incarnation: null }, { source: OTHER });
  return planId;
}

const checkpoint = (simulation: Simulation, planId: string): void => {
  for (const part of checkpointOf(simulation.plan(planId), crypto.randomUUID())) {
    simulation.say('architect.another-architect.checkpoint', part, { source: OTHER });
  }
};

test('of the plans of other Architects that never end, those that are written down are kept', () => {
  const simulation = new Simulation([sampleAgent('ada', ['work'])]);
  const own = simulation.submit({ goalId: crypto.randomUUID(), title: 'ours', steps: [sampleStep('a')] });
  simulation.settle();
  const theirs = Array.from({ length: 200 }, () => othersPlan(simulation));
  const [first = '', second = ''] = theirs;
  checkpoint(simulation, first);
  theirs.push(...Array.from({ length: 100 }, () => othersPlan(simulation)));
  for (const ledger of [simulation.ledger, simulation.replay()]) {
    expect(ledger.plans.size).toBe(201);
    expect(ledger.openTasksOf('ada')).toBe(201);
    for (const planId of [own, first, ...theirs.slice(-199)]) expect(ledger.plans.has(planId)).toBe(true);
    expect(ledger.plans.has(second)).toBe(false);
  }
  // What is still said of a forgotten one makes no plan of it.
  const attempt = { planId: second, taskId: 'a', attempt: 1 };
  simulation.answer('ada', 'completed', { ...attempt, output: null });
  simulation.say(
    'plan.completed',
    { planId: second, goalId: planIdOf(second), outputs: {}, omitted: 0 },
    { source: OTHER },
  );
  for (const ledger of [simulation.ledger, simulation.replay()]) {
    expect(ledger.plans.has(second)).toBe(false);
    expect(ledger.openTasksOf('ada')).toBe(201);
  }
});
