// A goal of four steps that depend on each other, from its submission to the end of its plan.
import type { PlanView } from '@hypercode/contracts';
import { expect } from 'vitest';
import type { Stage } from './stage.ts';
import { step } from './steps.ts';

/**
 * Expects that the goal becomes a plan, and that each task is done with the outputs of the tasks that it depends on.
 */
export async function expectDiamondToBeDone({
  log,
  architect: start,
  worker,
}: Pick<Stage<never>, 'log' | 'architect' | 'worker'>): Promise<void> {
  const architect = await start();
  await worker('ada', ({ taskId, input, dependencies }) => ({ taskId, input, dependencies }));
  const steps = [step('a', [], { input: { n: 1 } }), step('b', ['a']), step('c', ['a']), step('d', ['b', 'c'])];
  const { goalId, planId } = await architect.submit({ title: 'a diamond', steps });
  expect(await log.endOf(planId)).toBe('plan.completed');
  const plan = await architect.call<PlanView>(`/plans/${planId}`);
  expect(plan).toMatchObject({ goalId, status: 'completed', planner: 'steps', missing: [] });
  const a = { taskId: 'a', input: { n: 1 }, dependencies: {} };
  expect(plan.outputs['b']).toEqual({ taskId: 'b', input: null, dependencies: { a } });
  expect(Object.keys(Object(Object(plan.outputs['d']).dependencies))).toEqual(['b', 'c']);
  expect(log.completed(planId)).toHaveLength(4);
}
