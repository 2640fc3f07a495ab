// Views of plans, whatever their titles contain.
import { expect, test } from 'vitest';
import { OURS, planIn, PlanEvents, step } from '../test/plan-events.ts';
import { mermaidOf } from './mermaid.ts';
import { summaryOf, viewOf } from './plan-view.ts';

const log = new PlanEvents();
const planId = log.create([
  { ...step('a'), title: '"]; click t0 "javascript:alert(1)" %% <b>' },
  step('b', ['a']),
  step('c', ['b']),
]);
log.assign('ada', { planId, taskId: 'a', attempt: 1 });
log.complete('ada', { planId, taskId: 'a', attempt: 1 }, [1]);
log.assign('ada', { planId, taskId: 'b', attempt: 1 });
log.progress('ada', { planId, taskId: 'b', attempt: 1 }, 0.5);
const plan = planIn(log.follow(OURS), planId);

test('the view of a plan has the agent and the progress of each task', () => {
  expect(viewOf(plan)).toMatchObject({
    status: 'running',
    outputs: { a: [1] },
    tasks: [
      { taskId: 'a', status: 'completed', agent: 'ada', attempt: 1, progress: 1 },
      { taskId: 'b', status: 'assigned', agent: 'ada', attempt: 1, progress: 0.5 },
      { taskId: 'c', status: 'waiting', agent: null, attempt: 0, progress: 0 },
    ],
  });
});

test('the summary of a plan counts its tasks', () => {
  expect(summaryOf(plan).tasks).toEqual({ total: 3, completed: 1, assigned: 1 });
});

test('the diagram of a plan has its tasks and dependencies, and no markup from a title', () => {
  const lines = mermaidOf(plan).split('\n');
  expect(lines).toContain('  t0 --> t1');
  expect(lines).toContain('  t1 --> t2');
  expect(lines.find((line) => line.startsWith('  t1(['))).toBe('  t1(["do b<br/>work<br/>ada"]):::assigned');
  const [title = ''] = /"(.*)"/.exec(lines.find((line) => line.startsWith('  t0[')) ?? '')?.slice(1) ?? [];
  expect(title.replaceAll('<br/>', '')).not.toMatch(/["<>%[\]]/);
});
