// Actions: what the Architect does next. Each ends in one event on the bus, and is done when that event has come back.
import type { Agent, Json } from '@hypercode/contracts';
import type { Plan, Task } from '@hypercode/plans';

export type Action =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | {
      readonly kind: 'assign';
      readonly plan: Plan;
      readonly task: Task;
      readonly attempt: number;
      readonly agent: Agent;
      /** Milliseconds since the epoch. */
      readonly deadlineAt: number;
    }
  | {
      readonly kind: 'withdraw';
      readonly plan: Plan;
      readonly taskId: string;
      readonly attempt: number;
      readonly agent: string;
      readonly reason: string;
    }
  | { readonly kind: 'complete'; readonly plan: Plan }
  | { readonly kind: 'fail' | 'cancel'; readonly plan: Plan; readonly reason: string };

/** Identifies what the action does. While an action with this key is under way, it is not decided again. */
export function keyOf(action: Action): string {
  const { planId } = action.plan;
  if (action.kind === 'assign') return assignmentKey(planId, action.task.spec.taskId, action.attempt);
  if (action.kind === 'withdraw') return withdrawalKey(planId, action.taskId, action.attempt);
  // Planning a goal and ending its plan exclude each other.
  return planId;
}

export const assignmentKey = (planId: string, taskId: string, attempt: number): string =>
  `${planId}/${taskId}/${attempt}/assign`;

export const withdrawalKey = (planId: string, taskId: string, attempt: number): string =>
  `${planId}/${taskId}/${attempt}/withdraw`;

/** The outputs of the tasks that this one depends on. */
export function dependenciesOf({ tasks }: Plan, { spec }: Task): Record<string, Json> {
  return Object.fromEntries(spec.dependsOn.map((taskId) => [taskId, tasks.get(taskId)?.result?.output ?? null]));
}
