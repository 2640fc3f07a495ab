// What the schedule has to know of comparisons with schemas, and of verdicts of reviewers.
import { type Agent, type Json, LIMITS, TaskVerdict } from '@hypercode/contracts';
import type { Plan, Task } from '@hypercode/plans';

export interface Swarm extends Iterable<Agent> {
  get(name: string): Agent | undefined;
}

/**
 * Why a result does not count yet. `checking`: it is compared. `invalid`: it does not fit. `refused`: it is a review, and does not
 * accept the result that it is about.
 */
export type Judgement =
  | { readonly kind: 'checking' }
  | { readonly kind: 'invalid' | 'refused'; readonly reason: string };

export interface Checks {
  /** Results of the plan that do not count yet, by task. */
  unsettled(plan: Plan): ReadonlyMap<string, Judgement>;
  /** Why the agent does not take the input of the task; null: it does; undefined: they are being compared. */
  inputFault(plan: Plan, task: Task, agent: Agent): string | null | undefined;
}

/** What a reviewer's output says; null: the result is accepted, or the task is no review. */
export function verdictOf({ spec }: Pick<Task, 'spec'>, output: Json): Judgement | null {
  if (spec.reviews === undefined) return null;
  const { success, data } = TaskVerdict.safeParse(output);
  if (!success)
    return { kind: 'invalid', reason: 'the output of a review must be { "accepted": boolean, "reason": text }' };
  return data.accepted ? null : { kind: 'refused', reason: data.reason === '' ? 'no reason given' : data.reason };
}

export const inputRefusal = ({ taskId, capability }: Task['spec'], faults: readonly string[]): string => {
  const named = faults.slice(0, 3).join('; ');
  return `no agent that offers "${capability}" takes the input of the task "${taskId}": ${named}`.slice(
    0,
    LIMITS.taskErrorLength,
  );
};
