// Actions: what the Architect does next. Each ends in one event on the bus, and is done when that event has come back.
import type { Agent, CancelCause } from '@hypercode/contracts';
import type { Plan, Rejection, Task } from '@hypercode/plans';

export type Action =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | {
      readonly kind: 'assign';
      readonly plan: Plan;
      readonly task: Task;
      readonly attempt: number;
      readonly agent: Agent;
      /** Why this agent, in words. */
      readonly because: string;
      /** Milliseconds since the epoch, as the next one. */
      readonly deadlineAt: number;
      readonly acceptBy: number;
    }
  | {
      readonly kind: 'withdraw';
      readonly plan: Plan;
      readonly taskId: string;
      readonly attempt: number;
      readonly agent: string;
      readonly cause: CancelCause;
      readonly reason: string;
      /** Of one that moves: the agent with room for the task. */
      readonly toward?: string;
    }
  | { readonly kind: 'reject'; readonly rejection: Rejection }
  | { readonly kind: 'complete'; readonly plan: Plan }
  | { readonly kind: 'fail' | 'cancel'; readonly plan: Plan; readonly reason: string };

/** Identifies what the action does. While an action with this key is under way, it is not decided again. */
export function keyOf(action: Action): string {
  if (action.kind === 'reject') return rejectionKey(action.rejection.eventId);
  const { planId } = action.plan;
  if (action.kind === 'assign') return assignmentKey(planId, action.task.spec.taskId, action.attempt);
  if (action.kind === 'withdraw') return withdrawalKey(planId, action.taskId, action.attempt);
  // A goal can be ended while it is planned; of the ends of a plan each excludes the others.
  return action.kind === 'plan' ? planningKey(planId) : planId;
}

export const planningKey = (planId: string): string => `${planId}/plan`;
export const rejectionKey = (eventId: string): string => `${eventId}/reject`;
export const assignmentKey = (planId: string, taskId: string, attempt: number): string =>
  `${planId}/${taskId}/${attempt}/assign`;

export const withdrawalKey = (planId: string, taskId: string, attempt: number): string =>
  `${planId}/${taskId}/${attempt}/withdraw`;
