// Views of plans as JSON: their schemas, and how a plan becomes one. Times are ISO 8601.
import { type Json, PlannerName } from '@hypercode/contracts';
import { z } from 'zod';
import { type Plan, PlanStatus, statusOf, type Task, TaskStatus } from './plan.ts';
import { AttemptOutcome, type AttemptRecord, lastFailureIn } from './task-attempt.ts';

const Time = z.iso.datetime();

const PlanHead = z.object({
  planId: z.uuid(),
  goalId: z.uuid(),
  title: z.string(),
  status: PlanStatus,
  planner: PlannerName.nullable(),
  reason: z.string().nullable().describe('Why it failed or was cancelled.'),
  missing: z.array(z.string()).describe('Capabilities that no agent offered when the plan was created.'),
  submittedAt: Time,
  deadlineAt: Time.nullable(),
  endedAt: Time.nullable(),
});

export const PlanSummary = z.object({
  ...PlanHead.shape,
  tasks: z.object({
    total: z.number().int(),
    completed: z.number().int(),
    assigned: z.number().int(),
  }),
});
export type PlanSummary = z.infer<typeof PlanSummary>;

/** Null: the events that say it are no longer on the bus. */
export const AttemptView = z.object({
  attempt: z.number().int().positive(),
  agent: z.string(),
  assignedAt: Time.nullable(),
  acceptedAt: Time.nullable().describe('Null also when the agent did not begin.'),
  deadlineAt: Time.nullable().describe('As progress has moved it.'),
  endedAt: Time.nullable(),
  outcome: AttemptOutcome,
  error: z.string().nullable().describe('Why it ended without a result.'),
  because: z.string().nullable().describe('Why this agent was chosen.'),
});
export type AttemptView = z.infer<typeof AttemptView>;

export const TaskView = z.object({
  taskId: z.string(),
  title: z.string(),
  capability: z.string(),
  dependsOn: z.array(z.string()),
  status: TaskStatus,
  agent: z.string().nullable().describe('The agent that completed the task, or that has it now.'),
  attempt: z.number().int().describe('Of the last attempt; 0 before the first.'),
  progress: z.number().describe('0 to 1.'),
  deadlineAt: Time.nullable(),
  error: z.string().nullable().describe('Of the last attempt that failed or timed out.'),
  attempts: z.array(AttemptView).describe('The latest 32, the newest last.'),
});
export type TaskView = z.infer<typeof TaskView>;

/** An answer that could not be understood. */
const RejectionView = z.object({
  eventId: z.uuid(),
  source: z.string(),
  topic: z.string(),
  reason: z.string(),
  at: Time,
});

export const PlanView = z.object({
  ...PlanHead.shape,
  tasks: z.array(TaskView),
  outputs: z.record(z.string(), z.custom<Json>()).describe('Of the completed tasks, by task id.'),
  rejections: z.array(RejectionView).describe('The newest answers to its tasks that could not be understood.'),
});
export type PlanView = z.infer<typeof PlanView>;

/** Attempts that a view has. */
const SHOWN_ATTEMPTS = 32;

export const summaryOf = (plan: Plan): PlanSummary => ({
  ...headOf(plan),
  tasks: { total: plan.tasks.size, completed: plan.completed, assigned: plan.open.size },
});

export function viewOf(plan: Plan): PlanView {
  const tasks = [...plan.tasks.values()];
  const results = tasks.flatMap(({ spec, result }) => (result === null ? [] : [[spec.taskId, result.output] as const]));
  const rejections = plan.rejections.map(({ eventId, source, topic, reason, at }) => ({
    ...{ eventId, source, topic, reason },
    at: timeOf(at),
  }));
  return { ...headOf(plan), tasks: tasks.map(taskViewOf), outputs: Object.fromEntries(results), rejections };
}

function headOf(plan: Plan): z.infer<typeof PlanHead> {
  const { planId, goalId, title, status, planner, reason, missing } = plan;
  return {
    ...{ planId, goalId, title, status, planner, reason },
    missing: [...missing],
    submittedAt: timeOf(plan.submittedAt),
    deadlineAt: timeOrNull(plan.deadlineAt),
    endedAt: timeOrNull(plan.endedAt),
  };
}

function taskViewOf(task: Task): TaskView {
  const { spec, assignment, result, failure, attempts, records } = task;
  const { taskId, title, capability, dependsOn } = spec;
  const shown = [...attempts].slice(-SHOWN_ATTEMPTS);
  return {
    ...{ taskId, title, capability },
    dependsOn: [...dependsOn],
    status: statusOf(task),
    agent: result?.agent ?? assignment?.agent ?? null,
    attempt: result?.attempt ?? Math.max(0, ...attempts.keys()),
    progress: result === null ? (assignment?.progress ?? 0) : 1,
    deadlineAt: timeOrNull(assignment?.deadlineAt ?? null),
    error: lastFailureIn(records)?.error ?? failure?.message ?? null,
    attempts: shown.map(([attempt, agent]) => attemptViewOf(records.get(attempt)) ?? forgotten(task, attempt, agent)),
  };
}

function attemptViewOf(record: AttemptRecord | undefined): AttemptView | null {
  if (record === undefined) return null;
  const { assignedAt, acceptedAt, deadlineAt, endedAt, ...others } = record;
  return {
    ...others,
    assignedAt: timeOf(assignedAt),
    acceptedAt: timeOrNull(acceptedAt),
    deadlineAt: timeOf(deadlineAt),
    endedAt: timeOrNull(endedAt),
  };
}

/** An attempt of which a checkpoint of an older Architect knows the agent only. */
const forgotten = ({ result }: Task, attempt: number, agent: string): AttemptView => ({
  ...{ attempt, agent, assignedAt: null, acceptedAt: null, deadlineAt: null, endedAt: null },
  outcome: result?.attempt === attempt ? 'completed' : 'unknown',
  ...{ error: null, because: null },
});

const timeOf = (ms: number): string => new Date(ms).toISOString();
const timeOrNull = (ms: number | null): string | null => (ms === null ? null : timeOf(ms));
