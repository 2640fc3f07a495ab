// A failed plan begins again where it failed: completed tasks stay, and the others get new attempts.
import { type Plan, statusOf } from './plan.ts';

/** Whether a retry changes the plan. It cannot help a goal that is invalid, nor a plan whose tasks are unknown. */
export const canBeRetried = ({ status, refusal, isLost }: Plan): boolean =>
  status === 'failed' && refusal === null && !isLost;

/**
 * `at`: when the retry was published, in milliseconds since the epoch. A plan with a deadline has its whole time again from then
 * on.
 */
export function retryPlan(plan: Plan, { at, retries }: { readonly at: number; readonly retries: number }): void {
  plan.status = plan.tasks.size === 0 ? 'planning' : 'running';
  plan.retries = retries;
  const begunAt = plan.retriedAt ?? plan.submittedAt;
  plan.deadlineAt = plan.deadlineAt === null ? null : at + Math.max(0, plan.deadlineAt - begunAt);
  plan.retriedAt = at;
  plan.endedAt = null;
  plan.reason = null;
  plan.cancelReason = null;
  for (const [taskId, task] of plan.tasks) {
    if (task.result !== null) continue;
    task.failed = 0;
    task.failure = null;
    task.endedAt = null;
    task.forgiven = task.attempts.size - (task.assignment === null ? 0 : 1);
    if (statusOf(task) === 'ready') plan.ready.add(taskId);
  }
}
