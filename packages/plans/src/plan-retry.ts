// A failed plan begins again where it failed: completed tasks stay, and the others get new attempts.
import { SwarmError } from '@hypercode/contracts';
import { NOT_HELD } from './holds.ts';
import { hasEnded, type Plan, statusOf } from './plan.ts';

/** Whether a retry changes the plan. It cannot help a goal that is invalid, nor a plan whose tasks are unknown. */
export const canBeRetried = ({ status, refusal, isLost }: Plan): boolean =>
  status === 'failed' && refusal === null && !isLost;

/**
 * The number of the retry that the plan needs; of a plan that was retried and has not failed since, of the last one. CONFLICT when a
 * retry cannot help.
 */
export function nextRetryOf(plan: Plan): number {
  if (canBeRetried(plan)) return plan.retries + 1;
  if (!hasEnded(plan) && plan.retries > 0) return plan.retries;
  const { status, refusal } = plan;
  if (status !== 'failed') {
    throw new SwarmError('CONFLICT', `the plan is ${status}; only a failed plan can be retried`);
  }
  const why = refusal === null ? 'the tasks of the plan are unknown' : `the goal is invalid: ${refusal}`;
  throw new SwarmError('CONFLICT', `a retry cannot help: ${why}`);
}

export interface Retry {
  /** When it was published, in milliseconds since the epoch. */
  readonly at: number;
  /** How often the plan was retried, with this one. */
  readonly retries: number;
  /** The id of the event that retries it. */
  readonly causationId: string;
}

/** A plan with a deadline has its whole time again from then on. */
export function retryPlan(plan: Plan, { at, retries, causationId }: Retry): void {
  plan.causationId = causationId;
  plan.status = plan.tasks.size === 0 ? 'planning' : 'running';
  plan.retries = retries;
  const begunAt = plan.retriedAt ?? plan.submittedAt;
  plan.deadlineAt = plan.deadlineAt === null ? null : at + Math.max(0, plan.deadlineAt - begunAt);
  plan.hold = NOT_HELD;
  plan.retriedAt = at;
  plan.endedAt = null;
  plan.reason = null;
  plan.cancelReason = null;
  for (const [taskId, task] of plan.tasks) {
    if (task.result !== null) continue;
    if (task.assignment === null) task.causationId = causationId;
    task.failed = 0;
    task.failure = null;
    task.endedAt = null;
    task.forgiven = task.attempts.size - (task.assignment === null ? 0 : 1);
    if (statusOf(task) === 'ready') plan.ready.add(taskId);
  }
}
