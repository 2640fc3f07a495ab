// Views of plans: as JSON, and as a diagram.
import type { Json, PlannerName } from '@hypercode/contracts';
import { type Plan, type PlanStatus, statusOf, type Task, type TaskStatus } from './plan.ts';

export interface PlanSummary {
  readonly planId: string;
  readonly goalId: string;
  readonly title: string;
  readonly status: PlanStatus;
  readonly planner: PlannerName | null;
  /** Why it failed or was cancelled. */
  readonly reason: string | null;
  /** Capabilities that no agent offered when the plan was created. */
  readonly missing: readonly string[];
  readonly tasks: { readonly total: number; readonly completed: number; readonly assigned: number };
  /** ISO 8601, as all times here. */
  readonly submittedAt: string;
  readonly deadlineAt: string | null;
  readonly endedAt: string | null;
}

export interface TaskView {
  readonly taskId: string;
  readonly title: string;
  readonly capability: string;
  readonly dependsOn: readonly string[];
  readonly status: TaskStatus;
  /** The agent that completed the task, or that has it now. */
  readonly agent: string | null;
  /** Of the last attempt; 0 before the first. */
  readonly attempt: number;
  /** 0 to 1. */
  readonly progress: number;
  readonly deadlineAt: string | null;
  /** Of the last failure. */
  readonly error: string | null;
}

/** An answer that could not be understood. */
export interface RejectionView {
  readonly eventId: string;
  readonly source: string;
  readonly topic: string;
  readonly reason: string;
  readonly at: string;
}

export interface PlanView extends Omit<PlanSummary, 'tasks'> {
  readonly tasks: readonly TaskView[];
  /** Of the completed tasks, by task id. */
  readonly outputs: Readonly<Record<string, Json>>;
  /** The newest answers to its tasks that could not be understood, the newest last. */
  readonly rejections: readonly RejectionView[];
}

export function summaryOf(plan: Plan): PlanSummary {
  const { planId, goalId, title, status, planner, reason, missing } = plan;
  return {
    planId,
    goalId,
    title,
    status,
    planner,
    reason,
    missing,
    tasks: { total: plan.tasks.size, completed: plan.completed, assigned: plan.open.size },
    submittedAt: timeOf(plan.submittedAt),
    deadlineAt: plan.deadlineAt === null ? null : timeOf(plan.deadlineAt),
    endedAt: plan.endedAt === null ? null : timeOf(plan.endedAt),
  };
}

export function viewOf(plan: Plan): PlanView {
  const tasks = [...plan.tasks.values()];
  const results = tasks.flatMap(({ spec, result }) => (result === null ? [] : [[spec.taskId, result.output] as const]));
  const rejections = plan.rejections.map(({ eventId, source, topic, reason, at }) => ({
    ...{ eventId, source, topic, reason },
    at: timeOf(at),
  }));
  return { ...summaryOf(plan), tasks: tasks.map(taskViewOf), outputs: Object.fromEntries(results), rejections };
}

function taskViewOf(task: Task): TaskView {
  const { spec, assignment, result, failure, attempts } = task;
  const { taskId, title, capability, dependsOn } = spec;
  return {
    taskId,
    title,
    capability,
    dependsOn,
    status: statusOf(task),
    agent: result?.agent ?? assignment?.agent ?? null,
    attempt: result?.attempt ?? Math.max(0, ...attempts.keys()),
    progress: result === null ? (assignment?.progress ?? 0) : 1,
    deadlineAt: assignment === null ? null : timeOf(assignment.deadlineAt),
    error: failure?.message ?? null,
  };
}

const SHAPES = {
  waiting: ['[', ']'],
  ready: ['[', ']'],
  assigned: ['([', '])'],
  completed: ['[', ']'],
} as const satisfies Record<TaskStatus, readonly [string, string]>;

/** A flowchart of the tasks, their dependencies and their status (https://mermaid.js.org/syntax/flowchart.html). */
export function mermaidOf(plan: Plan): string {
  const tasks = [...plan.tasks.values()];
  const ids = new Map(tasks.map(({ spec }, index) => [spec.taskId, `t${index}`]));
  const nodes = tasks.map((task) => {
    const [open, close] = SHAPES[statusOf(task)];
    const agent = task.result?.agent ?? task.assignment?.agent;
    const text = [task.spec.title, task.spec.capability, ...(agent === undefined ? [] : [agent])]
      .map(escaped)
      .join('<br/>');
    return `  ${ids.get(task.spec.taskId)}${open}"${text}"${close}:::${statusOf(task)}`;
  });
  const arrows = tasks.flatMap(({ spec }) =>
    spec.dependsOn.map((needed) => `  ${ids.get(needed)} --> ${ids.get(spec.taskId)}`),
  );
  return [
    'flowchart TD',
    `  %% ${plan.planId} ${plan.status}`,
    ...nodes,
    ...arrows,
    '  classDef waiting fill:#f4f4f5,stroke:#a1a1aa,color:#3f3f46',
    '  classDef ready fill:#fef9c3,stroke:#ca8a04,color:#713f12',
    '  classDef assigned fill:#dbeafe,stroke:#2563eb,color:#1e3a8a',
    '  classDef completed fill:#dcfce7,stroke:#16a34a,color:#14532d',
    '',
  ].join('\n');
}

/** Text for quotes in a diagram, with nothing in it that is markup. */
const escaped = (text: string): string =>
  text.replaceAll(/[^\p{L}\p{N} .,:;/+()_-]/gu, (character) => `#${character.codePointAt(0)};`);

const timeOf = (ms: number): string => new Date(ms).toISOString();
