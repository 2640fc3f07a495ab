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
  | {
      /** A result does not count. */
      readonly kind: 'void';
      readonly plan: Plan;
      readonly taskId: string;
      readonly attempt: number;
      readonly agent: string;
      readonly cause: 'invalid' | 'refused';
      readonly reason: string;
    }
  | {
      readonly kind: 'stall';
      readonly plan: Plan;
      readonly taskId: string;
      readonly attempt: number;
      readonly agent: string;
      /** When the agent last reported something, in milliseconds since the epoch, and how long ago that is. */
      readonly signAt: number;
      readonly silentMs: number;
    }
  | {
      /** People are asked whether the plan may begin, or no longer. */
      readonly kind: 'ask' | 'unask';
      readonly plan: Plan;
      readonly questionId: string;
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
  if (action.kind === 'void') return voidKey(planId, action.taskId, action.attempt);
  if (action.kind === 'stall') return stallKey(planId, action.taskId, action.attempt);
  if (action.kind === 'ask' || action.kind === 'unask') return questionKey(action.questionId, action.kind);
  // A goal can be ended while it is planned; of the ends of a plan each excludes the others.
  return action.kind === 'plan' ? planningKey(planId) : planId;
}

export const planningKey = (planId: string): string => `${planId}/plan`;
export const rejectionKey = (eventId: string): string => `${eventId}/reject`;
export const assignmentKey = (planId: string, taskId: string, attempt: number): string =>
  `${planId}/${taskId}/${attempt}/assign`;

export const withdrawalKey = (planId: string, taskId: string, attempt: number): string =>
  `${planId}/${taskId}/${attempt}/withdraw`;

export const voidKey = (planId: string, taskId: string, attempt: number): string =>
  `${planId}/${taskId}/${attempt}/void`;

export const stallKey = (planId: string, taskId: string, attempt: number): string =>
  `${planId}/${taskId}/${attempt}/stall`;

export const questionKey = (questionId: string, kind: 'ask' | 'unask'): string => `${questionId}/${kind}`;
