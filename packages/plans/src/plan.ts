// A plan, and what changes its status and that of its tasks.
//
//   planning ──plan.created──> running ──plan.completed | plan.failed | plan.cancelled──> that
//   planning ──plan.failed | plan.cancelled──> that
//   failed ──plan.retry──> running; planning, if it has no tasks
//
// Each of its tasks:
//
//   waiting ──the last task that it depends on is completed──> ready
//   ready ──assigned──> assigned ──failed | cancelled──> ready, for the next attempt; a cancellation counts as a
//                                  failure only when the agent had begun and did not answer by the deadline
//   completed ──cancelled, as invalid or refused──> ready, for the next attempt; what depends on it waits again
//   ready, assigned ──completed, by an agent that was given an attempt──> completed
import type { Goal, Json, PlannerName, PlanStatus, PlanTask, TaskStatus } from '@hypercode/contracts';
import { type Hold, NOT_HELD } from './holds.ts';
import type { Rejection } from './rejections.ts';
import type { AttemptRecords } from './task-attempt.ts';

/** An open attempt. Times are in milliseconds since the epoch. */
export interface Assignment {
  readonly agent: string;
  readonly attempt: number;
  /** Of the agent, when the task was assigned. */
  readonly incarnation: string | null;
  readonly assignedAt: number;
  /** Moves with each report of progress. What it is held is not in it. */
  readonly deadlineAt: number;
  /** While people are asked about the attempt. */
  readonly hold: Hold;
  /** How long earlier attempts were held, in milliseconds. */
  readonly heldBefore: number;
  /** When the agent last reported something about the task, or was given it. */
  readonly signAt: number;
  /** When the Architect noticed that the agent reports nothing; null when it did report since. */
  readonly stalledAt: number | null;
  /** How long the agent has from the assignment, and from each report of progress, in milliseconds. */
  readonly spanMs: number;
  /** When the agent should have begun; null when that was not said. */
  readonly acceptBy: number | null;
  readonly accepted: boolean;
  /** 0 to 1. */
  readonly progress: number;
}

/** The failure that the last failed attempt reported. */
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
  /** Of the event that it came with; null when that is not known any more. */
  readonly position: string | null;
  /** Whether views have the output itself, and not a reference to it. */
  readonly isShown: boolean;
}

/** What people are asked, as far as a plan shows it. */
export interface PlanQuestionRecord {
  readonly agent: string;
  readonly questionId: string;
  readonly text: string;
  /** At the task; null: it is about the plan. */
  readonly attempt: number | null;
  readonly askedAt: number;
  readonly endedAt: number | null;
}

/** Whether people let the plan begin. */
export interface Approval {
  readonly state: 'waiting' | 'approved' | 'rejected';
  /** Who decided. */
  readonly by: string | null;
  readonly comment: string | null;
  /** The last question to people; null before the first. */
  readonly question: PlanQuestionRecord | null;
  /** How many questions there were. */
  readonly asked: number;
}

export interface Task {
  readonly spec: PlanTask;
  readonly dependants: readonly string[];
  /** How many of the tasks that it depends on are not completed. */
  waitingFor: number;
  /** The agent of each attempt. */
  readonly attempts: Map<number, string>;
  /** What is remembered of the latest attempts. */
  readonly records: AttemptRecords;
  /** How many attempts have failed, or were accepted and not answered by their deadline, since the plan was last retried. */
  failed: number;
  /** How many attempts were made before the plan was last retried. They no longer count. */
  forgiven: number;
  /** Attempts whose result did not count after all, so that it does not come back. */
  readonly voided: Set<number>;
  /** How long its earlier attempts were held, in milliseconds. */
  heldMs: number;
  /** What its attempts ask people, the newest last. */
  readonly questions: PlanQuestionRecord[];
  /** When the last attempt ended without a result; null before. */
  endedAt: number | null;
  assignment: Assignment | null;
  failure: TaskFailure | null;
  result: TaskResult | null;
  /** The id of the event that brought it to where it is: an assignment follows from that, and so does the end of one. */
  causationId: string;
}

export interface Plan {
  readonly planId: string;
  readonly goalId: string;
  readonly title: string;
  readonly submittedAt: number;
  /** The conversation of the goal, and its trace; all events of the plan belong to them. */
  readonly correlationId: string;
  readonly traceparent: string | undefined;
  /** The id of the event that brought the plan to where it is; its next event follows from that. */
  causationId: string;
  status: PlanStatus;
  /** The goal to plan; null once it is planned or can no longer be planned, and when its submission is not on the bus. */
  goal: Goal | null;
  /** Why the goal is invalid; null when it is valid. */
  refusal: string | null;
  /** The source that created the plan and conducts it; null before. */
  owner: string | null;
  planner: PlannerName | null;
  /** Capabilities that no agent offered when the plan was created. */
  missing: readonly string[];
  /** Milliseconds since the epoch, as all times here. What it is held is not in it. */
  deadlineAt: number | null;
  /** While people are asked about the plan or one of its tasks. */
  hold: Hold;
  /** Null: people are not asked whether it may begin. */
  approval: Approval | null;
  /** Why a cancellation was requested; null when none was. */
  cancelReason: string | null;
  /** The event that created the plan is no longer on the bus, so its tasks are unknown. */
  isLost: boolean;
  readonly tasks: Map<string, Task>;
  /** Tasks that can be assigned, in the order in which they became ready. */
  readonly ready: Set<string>;
  /** Tasks that are assigned. */
  readonly open: Set<string>;
  /** How many tasks are completed. */
  completed: number;
  /** Characters of JSON of the outputs that views have themselves. */
  shownLength: number;
  /** When all of the plan was last published: at its creation, or with a checkpoint. */
  writtenAt: number;
  endedAt: number | null;
  /** Why it failed or was cancelled. */
  reason: string | null;
  /** How often it has failed and was retried. */
  retries: number;
  /** When it was last retried; null: never. */
  retriedAt: number | null;
  /** Answers to its tasks that could not be understood, the newest last. */
  readonly rejections: Rejection[];
}

interface PlanStart {
  readonly planId: string;
  readonly goalId: string;
  readonly title: string;
  readonly submittedAt: number;
}

/** The event with which a plan begins, as far as it is known. */
export interface Origin {
  readonly id: string;
  readonly correlationId: string;
  readonly traceparent?: string | undefined;
}

/** A plan whose goal was submitted, and of which nothing else is known. */
export const newPlan = ({ planId, goalId, title, submittedAt }: PlanStart, origin: Origin): Plan => ({
  planId,
  goalId,
  title,
  submittedAt,
  correlationId: origin.correlationId,
  traceparent: origin.traceparent,
  causationId: origin.id,
  status: 'planning',
  goal: null,
  refusal: null,
  owner: null,
  planner: null,
  missing: [],
  deadlineAt: null,
  hold: NOT_HELD,
  approval: null,
  cancelReason: null,
  isLost: false,
  tasks: new Map(),
  ready: new Set(),
  open: new Set(),
  completed: 0,
  shownLength: 0,
  writtenAt: submittedAt,
  endedAt: null,
  reason: null,
  retries: 0,
  retriedAt: null,
  rejections: [],
});

/** The plan with these tasks, none of which is assigned. `causationId`: the event that says so. */
export function withTasks(plan: Plan, specs: readonly PlanTask[], causationId: string): Plan {
  const dependants = new Map<string, string[]>(specs.map(({ taskId }) => [taskId, []]));
  for (const { taskId, dependsOn } of specs) for (const needed of dependsOn) dependants.get(needed)?.push(taskId);
  const tasks = specs.map((spec): Task => ({
    spec,
    dependants: dependants.get(spec.taskId) ?? [],
    waitingFor: spec.dependsOn.length,
    attempts: new Map(),
    records: new Map(),
    failed: 0,
    forgiven: 0,
    voided: new Set(),
    heldMs: 0,
    questions: [],
    endedAt: null,
    assignment: null,
    failure: null,
    result: null,
    causationId,
  }));
  const ready = tasks.filter(({ waitingFor }) => waitingFor === 0);
  return {
    ...plan,
    causationId,
    status: 'running',
    goal: null,
    tasks: new Map(tasks.map((task) => [task.spec.taskId, task])),
    ready: new Set(ready.map(({ spec }) => spec.taskId)),
  };
}

/** How many attempts were taken back without a failure, since the plan was last retried. */
export const takenBack = ({ attempts, failed, forgiven, assignment }: Task): number =>
  attempts.size - forgiven - failed - (assignment === null ? 0 : 1);

export const lastAttemptOf = ({ attempts }: Task): number => Math.max(0, ...attempts.keys());

export const statusOf = (task: Task): TaskStatus => {
  if (task.result !== null) return 'completed';
  if (task.assignment !== null) return 'assigned';
  return task.waitingFor === 0 ? 'ready' : 'waiting';
};

export const hasEnded = ({ status }: Pick<Plan, 'status'>): boolean => status !== 'planning' && status !== 'running';

/**
 * Whether facts of this source change the plan. Only its owner ends a plan, and assigns or cancels its tasks. Before it
 * is created, any source can end it.
 */
export const isOwner = ({ owner }: Plan, source: string): boolean => owner === null || owner === source;
