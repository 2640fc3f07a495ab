// The states of plans, tasks and attempts: each as a word and a colour, and a bar for how far a plan is.
import type { PlanView } from '@hypercode/client';
import { alertOf, type Task as PlanTask } from './task-alerts.ts';

type Plan = PlanView['status'];
export type Task = PlanTask;
export type Attempt = Task['attempts'][number];

const PLAN: Record<Plan, string> = {
  planning: 'text-info',
  running: 'text-accent',
  completed: 'text-good',
  failed: 'text-bad',
  cancelled: 'text-faint',
};

export const PlanStatusMark = ({ status }: { readonly status: Plan }) => (
  <span className={`font-medium ${PLAN[status] ?? 'text-soft'}`}>{status}</span>
);

const TASK: Record<Task['status'], string> = {
  waiting: 'text-faint',
  ready: 'text-warn',
  assigned: 'text-accent',
  completed: 'text-good',
};
const TASK_WORDS: Record<Task['status'], string> = {
  waiting: 'waits for others',
  ready: 'waits for an agent',
  assigned: 'assigned',
  completed: 'completed',
};

/** Whether no task of the plan is assigned before a person has approved it. */
export const waitsForApproval = ({ approval }: PlanView): boolean => approval?.state === 'waiting';

export function TaskStatusMark({ plan, status }: { readonly plan: PlanView; readonly status: Task['status'] }) {
  if (status === 'ready' && waitsForApproval(plan)) return <span className="text-faint">waits for approval</span>;
  return <span className={TASK[status] ?? 'text-soft'}>{TASK_WORDS[status] ?? status}</span>;
}

/** Whether the task waits for a person, or stands still. */
export function TaskAlertMark({ task }: { readonly task: Task }) {
  const alert = alertOf(task);
  if (alert === null) return null;
  const look = alert.kind === 'asks' ? 'bg-accent text-on-accent' : 'bg-warn-wash text-warn';
  return (
    <span className={`shrink-0 rounded-full px-1.5 text-[11px] leading-[18px] font-medium whitespace-nowrap ${look}`}>
      {alert.kind === 'asks' ? 'asks you' : 'reports nothing'}
    </span>
  );
}

export const OUTCOMES: Record<
  Attempt['outcome'],
  { readonly text: string; readonly bar: string; readonly look: string }
> = {
  running: { text: 'running', bar: 'bg-accent', look: 'text-accent' },
  completed: { text: 'completed', bar: 'bg-good', look: 'text-good' },
  failed: { text: 'failed', bar: 'bg-bad', look: 'text-bad' },
  timed_out: { text: 'timed out', bar: 'bg-bad', look: 'text-bad' },
  not_accepted: { text: 'not begun in time', bar: 'bg-warn', look: 'text-warn' },
  moved: { text: 'moved to another agent', bar: 'bg-warn', look: 'text-warn' },
  lost: { text: 'agent lost', bar: 'bg-warn', look: 'text-warn' },
  cancelled: { text: 'cancelled', bar: 'bg-faint', look: 'text-faint' },
  unknown: { text: 'unknown', bar: 'bg-faint', look: 'text-faint' },
};

/** How much of a plan is done: completed tasks, and the progress of those under way. */
export function PlanProgress({ plan }: { readonly plan: PlanView }) {
  const total = plan.tasks.length;
  const done = plan.tasks.filter(({ status }) => status === 'completed').length;
  const parts = plan.tasks.reduce((sum, { status, progress }) => sum + (status === 'completed' ? 1 : progress), 0);
  const share = total === 0 ? 0 : parts / total;
  return (
    <span className="flex items-center gap-2">
      <span
        role="progressbar"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
        aria-label="Progress of the plan"
        className="h-1.5 w-24 overflow-hidden rounded-full bg-line"
      >
        <span
          className={`block h-full rounded-full ${plan.status === 'failed' ? 'bg-bad' : 'bg-accent'}`}
          style={{ width: `${share * 100}%` }}
        />
      </span>
      <span className="text-faint">
        {done}/{total}
      </span>
    </span>
  );
}
