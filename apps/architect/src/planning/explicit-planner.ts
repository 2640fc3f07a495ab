// The planner for goals whose submitter knows the way.
import type { Goal, PlanTask } from '@hypercode/contracts';
import type { Planner } from './planner.ts';

/** The goal's own steps as tasks, as they are; null when it names none. */
export const explicitPlanner: Planner = {
  name: 'steps',
  plan: ({ steps }) => Promise.resolve(steps?.map(taskOf) ?? null),
};

const taskOf = ({ id, ...step }: NonNullable<Goal['steps']>[number]): PlanTask => ({ taskId: id, ...step });
