// Who is asked for a plan, and what becomes of the answers.
import { LIMITS, type PlannerName, type PlanTask } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { explicitPlanner } from './explicit-planner.ts';
import { matchingPlanner } from './matching-planner.ts';
import { planGoal } from './plan-goal.ts';
import { type Planner, PlanRefused } from './planner.ts';
import { sampleAgent, sampleGoal } from '../../test/sample-swarm.ts';

const { signal } = new AbortController();
const AGENTS = [sampleAgent('ada', ['web-search', 'translate'])];
const PLANNERS = [explicitPlanner, matchingPlanner];
const GOAL = sampleGoal({ title: 'Search the web' });

const task = (taskId: string, ...dependsOn: string[]): PlanTask => ({
  taskId,
  title: taskId,
  capability: 'translate',
  dependsOn,
});

const plannerThat = (plan: Planner['plan'], name: PlannerName = 'model'): Planner => ({ name, plan });
const notAsked = plannerThat(() => {
  throw new Error('this planner must not be called');
});

test('a goal with steps is planned as they say', async () => {
  const steps = [
    { id: 'a', title: 'First', capability: 'fly', input: { to: 'the moon' }, dependsOn: [] },
    { id: 'b', title: 'Second', capability: 'translate', dependsOn: ['a'] },
    { id: 'c', title: 'Third', capability: 'dance', dependsOn: ['a'] },
  ];
  expect(await planGoal(sampleGoal({ title: 'Moon', steps }), AGENTS, PLANNERS, { signal })).toEqual({
    planner: 'steps',
    tasks: [
      { taskId: 'a', title: 'First', capability: 'fly', input: { to: 'the moon' }, dependsOn: [] },
      { taskId: 'b', title: 'Second', capability: 'translate', dependsOn: ['a'] },
      { taskId: 'c', title: 'Third', capability: 'dance', dependsOn: ['a'] },
    ],
    missing: ['dance', 'fly'],
  });
});

test.each([
  ['no steps', [], "the goal's steps are not a valid plan: the plan has no tasks"],
  [
    'steps in a circle',
    [
      { id: 'a', title: 'A', capability: 'translate', dependsOn: ['b'] },
      { id: 'b', title: 'B', capability: 'translate', dependsOn: ['a', 'x'] },
    ],
    `the goal's steps are not a valid plan: the task "b" depends on "x", which is not a task of the plan; the tasks depend on each other in a cycle: a → b → a`,
  ],
])('a goal with %s is refused, also when a further planner could be called', async (_, steps, refused) => {
  const goal = sampleGoal({ title: 'Search the web', steps });
  expect(await planGoal(goal, AGENTS, [...PLANNERS, notAsked], { signal })).toEqual({ refused });
});

test('the first planner that finds a way is the one', async () => {
  const none = plannerThat(() => Promise.resolve(null));
  expect(await planGoal(GOAL, AGENTS, [explicitPlanner, none, matchingPlanner, notAsked], { signal })).toMatchObject({
    planner: 'matching',
    tasks: [{ taskId: 'web-search' }],
    missing: [],
  });
});

test('what a planner gives is checked', async () => {
  const faulty = plannerThat(() => Promise.resolve([task('a', 'a')]));
  expect(await planGoal(GOAL, AGENTS, [faulty, notAsked], { signal })).toEqual({
    refused: 'the tasks from the model are not a valid plan: the task "a" depends on itself',
  });
});

test('a planner may refuse, and may fail', async () => {
  const refusing = plannerThat(() => Promise.reject(new PlanRefused('x'.repeat(10_000))));
  const made = await planGoal(GOAL, AGENTS, [refusing, notAsked], { signal });
  expect(made).toEqual({ refused: `${'x'.repeat(LIMITS.taskErrorLength - 1)}…` });
  const failing = plannerThat(() => Promise.reject(new TypeError('a bug')));
  await expect(planGoal(GOAL, AGENTS, [failing, notAsked], { signal })).rejects.toThrow('a bug');
});

test('no planner is called after the caller has aborted', async () => {
  const stopped = AbortSignal.abort(new Error('stopping'));
  await expect(planGoal(GOAL, AGENTS, [notAsked], { signal: stopped })).rejects.toThrow('stopping');
});

test('a refusal says what the swarm can do', async () => {
  const asked = (agents: typeof AGENTS) =>
    planGoal(sampleGoal({ title: 'Make me a sandwich' }), agents, PLANNERS, { signal });
  expect(await asked(AGENTS)).toEqual({
    refused: 'no capability in the swarm matches the goal; it offers: translate, web-search',
  });
  expect(await asked([sampleAgent('plan', ['sandwich'], { role: 'architect' })])).toEqual({
    refused: 'no agent in the swarm offers a capability, and the goal has no steps',
  });
  const many = Array.from({ length: 100 }, (_, i) => sampleAgent(`a${i}`, [`c${String(i).padStart(3, '0')}`]));
  expect(await asked(many)).toEqual({
    refused: expect.stringMatching(/it offers: c000, c001, .*, c019, and 80 more$/),
  });
});
