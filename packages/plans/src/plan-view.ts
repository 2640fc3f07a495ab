// How a plan becomes a view, as JSON. Times are ISO 8601.
import type {
  AttemptView,
  Json,
  PlanApproval,
  PlanQuestion,
  PlanSummary,
  PlanView,
  TaskView,
} from '@hypercode/contracts';
import { type Plan, type PlanQuestionRecord, statusOf, type Task } from './plan.ts';
import { type AttemptRecord, lastFailureIn } from './task-attempt.ts';

/** Attempts that a view has of each task, and of all together, at least one of each. */
const SHOWN_ATTEMPTS = 32;
const ALL_SHOWN_ATTEMPTS = 2_000;

export const summaryOf = (plan: Plan): PlanSummary => ({
  ...headOf(plan),
  tasks: { total: plan.tasks.size, completed: plan.completed, assigned: plan.open.size },
});

export function viewOf(plan: Plan): PlanView {
  const tasks = [...plan.tasks.values()];
  const attempts = Math.min(SHOWN_ATTEMPTS, Math.max(1, Math.floor(ALL_SHOWN_ATTEMPTS / tasks.length)));
  const rejections = plan.rejections.map(({ eventId, source, topic, reason, at }) => ({
    ...{ eventId, source, topic, reason },
    at: timeOf(at),
  }));
  const views = tasks.map((task) => taskViewOf(task, attempts));
  return {
    ...headOf(plan),
    tasks: views,
    approval: approvalOf(plan),
    outputs: Object.fromEntries(tasks.flatMap(shownOutputOf)),
    rejections,
  };
}

/** A reference to an output that views do not have; nothing when the position of its event is not known any more. */
function shownOutputOf({ spec, result }: Task): [string, Json][] {
  if (result === null) return [];
  if (result.isShown) return [[spec.taskId, result.output]];
  return result.position === null ? [] : [[spec.taskId, { ref: result.position }]];
}

function headOf(plan: Plan): Omit<PlanSummary, 'tasks'> {
  const { planId, goalId, title, status, planner, reason, missing, retries } = plan;
  return {
    ...{ planId, goalId, title, status, planner, reason, retries },
    missing: [...missing],
    submittedAt: timeOf(plan.submittedAt),
    deadlineAt: timeOrNull(plan.deadlineAt === null ? null : plan.deadlineAt + plan.hold.heldMs),
    endedAt: timeOrNull(plan.endedAt),
  };
}

function taskViewOf(task: Task, shownAttempts: number): TaskView {
  const { spec, assignment, result, failure, attempts, records } = task;
  const { taskId, title, capability, dependsOn } = spec;
  const shown = [...attempts].slice(-shownAttempts);
  return {
    ...{ taskId, title, capability },
    dependsOn: [...dependsOn],
    status: statusOf(task),
    agent: result?.agent ?? assignment?.agent ?? null,
    attempt: result?.attempt ?? Math.max(0, ...attempts.keys()),
    progress: result === null ? (assignment?.progress ?? 0) : 1,
    deadlineAt: timeOrNull(assignment === null ? null : assignment.deadlineAt + assignment.hold.heldMs),
    error: lastFailureIn(records)?.error ?? failure?.message ?? null,
    reviews: spec.reviews ?? null,
    questions: task.questions.map(questionOf),
    attempts: shown.map(([attempt, agent]) => attemptViewOf(records.get(attempt)) ?? forgotten(task, attempt, agent)),
  };
}

function attemptViewOf(record: AttemptRecord | undefined): AttemptView | null {
  if (record === undefined) return null;
  const { assignedAt, acceptedAt, stalledAt, deadlineAt, endedAt, ...others } = record;
  return {
    ...others,
    assignedAt: timeOf(assignedAt),
    acceptedAt: timeOrNull(acceptedAt),
    stalledAt: timeOrNull(stalledAt),
    deadlineAt: timeOf(deadlineAt),
    endedAt: timeOrNull(endedAt),
  };
}

function approvalOf({ approval }: Plan): PlanApproval | null {
  if (approval === null) return null;
  const { state, by, question } = approval;
  return { state, by, question: question === null ? null : questionOf(question) };
}

const questionOf = ({ agent, questionId, text, askedAt, endedAt }: PlanQuestionRecord): PlanQuestion => ({
  ...{ agent, questionId, text },
  askedAt: timeOf(askedAt),
  endedAt: timeOrNull(endedAt),
});

/** An attempt of which a checkpoint of an older Architect knows the agent only. */
const forgotten = ({ result }: Task, attempt: number, agent: string): AttemptView => ({
  ...{ attempt, agent, assignedAt: null, acceptedAt: null, stalledAt: null, deadlineAt: null, endedAt: null },
  outcome: result?.attempt === attempt ? 'completed' : 'unknown',
  ...{ error: null, because: null },
});

const timeOf = (ms: number): string => new Date(ms).toISOString();
const timeOrNull = (ms: number | null): string | null => (ms === null ? null : timeOf(ms));
