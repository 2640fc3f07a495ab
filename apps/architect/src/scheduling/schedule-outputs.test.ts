// How outputs reach the tasks that need them.
import { LIMITS } from '@hypercode/contracts';
import { describe, expect, test } from 'vitest';
import { sampleAgent, sampleStep } from '../../test/sample-swarm.ts';
import { started, assignmentOf, published } from '../../test/scheduling/plans.ts';
import { Simulation } from '../../test/scheduling/simulation.ts';

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
