// A plan as the Architect knows it.
//
//   planning ──plan.created──> running ──plan.completed | plan.failed | plan.cancelled──> that
//   planning ──plan.failed | plan.cancelled──> that
//
// And each of its tasks:
//
//   waiting ──the last task that it depends on is completed──> ready
//   ready ──assigned──> assigned ──failed | cancelled──> ready, for the next attempt
//   ready, assigned ──completed, by whoever had an attempt──> completed
import type { Goal, Json, PlannerName, PlanTask } from '@hypercode/contracts';

export type PlanStatus = 'planning' | 'running' | 'completed' | 'failed' | 'cancelled';
export type TaskStatus = 'waiting' | 'ready' | 'assigned' | 'completed';

/** An attempt that an agent has. Times are in milliseconds since the epoch. */
export interface Assignment {
  readonly agent: string;
  readonly attempt: number;
  /** Of the agent, when it got the task. */
  readonly incarnation: string | null;
  readonly assignedAt: number;
  readonly deadlineAt: number;
  readonly accepted: boolean;
  /** 0 to 1. */
  readonly progress: number;
}

/** How the last attempt ended that was answered with a failure. */
export interface TaskFailure {
  readonly agent: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly at: number;
}

export interface TaskResult {
  readonly agent: string;
  readonly attempt: number;
  readonly output: Json;
}

export interface Task {
  readonly spec: PlanTask;
  readonly dependants: readonly string[];
  /** How many of the tasks that it depends on are not completed. */
  waitingFor: number;
  /** Who has, or had, which attempt. */
  readonly attempts: Map<number, string>;
  assignment: Assignment | null;
  failure: TaskFailure | null;
  result: TaskResult | null;
}

export interface Plan {
  readonly planId: string;
  readonly goalId: string;
  readonly title: string;
  readonly submittedAt: number;
  status: PlanStatus;
  /** What is to be planned; null once it is, and when its submission was never heard. */
  goal: Goal | null;
  /** Why the goal can have no plan, when that was seen at once. */
  refusal: string | null;
  /** Who made the plan, and is to see it through; null before. */
  owner: string | null;
  planner: PlannerName | null;
  missing: readonly string[];
  /** Milliseconds since the epoch, as all times here. */
  deadlineAt: number | null;
  /** Why it is to be cancelled, once somebody has asked for it. */
  cancelReason: string | null;
  /** Its beginning is not on the bus any more. */
  isLost: boolean;
  readonly tasks: Map<string, Task>;
  /** Tasks that can be assigned, in the order of becoming so. */
  readonly ready: Set<string>;
  /** Tasks that somebody has. */
  readonly open: Set<string>;
  completed: number;
  /** When all of it was last said on the bus: as it was made, or with a checkpoint. */
  writtenAt: number;
  endedAt: number | null;
  /** Why it failed or was cancelled. */
  reason: string | null;
}

export const lastAttemptOf = ({ attempts }: Task): number => Math.max(0, ...attempts.keys());

export const statusOf = (task: Task): TaskStatus => {
  if (task.result !== null) return 'completed';
  if (task.assignment !== null) return 'assigned';
  return task.waitingFor === 0 ? 'ready' : 'waiting';
};

export const hasEnded = ({ status }: Pick<Plan, 'status'>): boolean => status !== 'planning' && status !== 'running';
