// Plans as they are shown, whatever their titles say.
import { mermaidOf, viewOf } from '@hypercode/plans';
import { expect, test } from 'vitest';
import { sampleAgent, sampleGoal, sampleStep } from '../scheduling/swarm.ts';
import { Simulation } from '../scheduling/simulation.ts';

const simulation = new Simulation([sampleAgent('ada', ['work'])]);
const steps = [
  { ...sampleStep('a'), title: '"]; click t0 "javascript:alert(1)" %% <b>' },
  sampleStep('b', ['a']),
  sampleStep('c', ['b']),
];
const planId = simulation.submit(sampleGoal({ steps }));
simulation.settle();
simulation.answer('ada', 'completed', { planId, taskId: 'a', attempt: 1, output: [1] });
simulation.settle();
simulation.answer('ada', 'progress', { planId, taskId: 'b', attempt: 1, progress: 0.5 });

test('a plan shows each task, who has it, and how far it is', () => {
  expect(viewOf(simulation.plan(planId))).toMatchObject({
    status: 'running',
    outputs: { a: [1] },
    tasks: [
      { taskId: 'a', status: 'completed', agent: 'ada', attempt: 1, progress: 1 },
      { taskId: 'b', status: 'assigned', agent: 'ada', attempt: 1, progress: 0.5 },
      { taskId: 'c', status: 'waiting', agent: null, attempt: 0, progress: 0 },
    ],
  });
});

test('a diagram has the tasks and what depends on what, and nothing that a title could smuggle in', () => {
  const lines = mermaidOf(simulation.plan(planId)).split('\n');
  expect(lines).toContain('  t0 --> t1');
  expect(lines).toContain('  t1 --> t2');
  expect(lines.find((line) => line.startsWith('  t1(['))).toBe('  t1(["do b<br/>work<br/>ada"]):::assigned');
  const [title = ''] = /"(.*)"/.exec(lines.find((line) => line.startsWith('  t0[')) ?? '')?.slice(1) ?? [];
  expect(title.replaceAll('<br/>', '')).not.toMatch(/["<>%[\]]/);
});
