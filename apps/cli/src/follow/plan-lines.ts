// A plan as a tree: each task below the last one that it needs, with its agent, progress and failed attempts. Pure.
import type { PlanView } from '@hypercode/client';
import { type Branch, treeLines } from '../events/tree-lines.ts';
import { bold, cyan, dim, green, type Line, type Part, red, yellow } from '../output/parts.ts';
import { showDuration } from '../output/times.ts';

type Task = PlanView['tasks'][number];
type Attempt = Task['attempts'][number];

const BAR_CELLS = 20;

/** The head of the plan, and its tasks. */
export function planLines(plan: PlanView, nowMs: number): Line[] {
  const { title, status, planId, goalId, reason, missing, tasks, submittedAt, endedAt, retries } = plan;
  const completed = tasks.filter((task) => task.status === 'completed').length;
  const tookMs = (endedAt === null ? nowMs : Date.parse(endedAt)) - Date.parse(submittedAt);
  return [
    [statusSign(status), bold(title), '  ', statusWord(status), dim(`  ${showDuration(tookMs)}`)],
    [
      dim(
        `  plan ${planId}  goal ${goalId}${retries === 0 ? '' : `  retried ${retries} ${retries === 1 ? 'time' : 'times'}`}`,
      ),
    ],
    ...(tasks.length === 0 ? [] : [progressLine(completed, tasks)]),
    ...(reason === null ? [] : [['  ', red(reason)] as Line]),
    ...(missing.length === 0 ? [] : [['  ', yellow(`no agent offers ${missing.join(', ')}`)] as Line]),
    ...treeLines(branchesOf(tasks, nowMs), '  '),
    ...plan.rejections.map((one): Line => [
      '  ',
      yellow(`an answer on ${one.topic} was not understood: ${one.reason}`),
    ]),
  ];
}

function progressLine(completed: number, tasks: readonly Task[]): Line {
  const done = tasks.reduce((sum, { progress }) => sum + progress, 0) / tasks.length;
  const cells = Math.round(done * BAR_CELLS);
  return ['  ', green('█'.repeat(cells)), dim('░'.repeat(BAR_CELLS - cells)), ` ${completed} of ${tasks.length} tasks`];
}

const SIGNS: Readonly<Record<PlanView['status'], Part>> = {
  planning: yellow('· '),
  running: yellow('→ '),
  completed: green('✓ '),
  failed: red('✗ '),
  cancelled: red('✗ '),
};
const statusSign = (status: PlanView['status']): Part => SIGNS[status] ?? '  ';

function statusWord(status: PlanView['status']): Part {
  if (status === 'completed') return green(status);
  return status === 'failed' || status === 'cancelled' ? red(status) : yellow(status);
}

/** A plan is a graph; each task stands once, below the last of those that it needs. */
function branchesOf(tasks: readonly Task[], nowMs: number): Branch[] {
  const below = new Map<string | null, Task[]>();
  const known = new Set(tasks.map(({ taskId }) => taskId));
  for (const task of tasks) {
    const parent = task.dependsOn.findLast((id) => known.has(id)) ?? null;
    below.set(parent, [...(below.get(parent) ?? []), task]);
  }
  const branchOf = (task: Task): Branch => ({
    line: taskLine(task, nowMs),
    below: [...failedAttempts(task), ...(below.get(task.taskId) ?? []).map(branchOf)],
  });
  return (below.get(null) ?? []).map(branchOf);
}

function taskLine(task: Task, nowMs: number): Line {
  const { title, taskId, capability, status, agent, attempt, progress, dependsOn, attempts } = task;
  const name: Part[] = [title, ...(title === taskId ? [] : [dim(` (${taskId})`)])];
  const more = dependsOn.slice(0, -1);
  const also = more.length === 0 ? [] : [dim(`, after ${more.join(', ')}, too`)];
  const current = attempts.at(-1);
  switch (status) {
    case 'completed':
      return [green('✓ '), ...name, '  ', cyan(agent ?? 'an agent'), dim(spanOf(current, nowMs)), ...also];
    case 'assigned': {
      const percent = progress > 0 ? `, ${Math.round(progress * 100)} %` : '';
      const number = attempt > 1 ? `, attempt ${attempt}` : '';
      const begun = current?.acceptedAt === null ? ', not begun' : '';
      // A core of the release before knows neither.
      const asks = (task.questions ?? []).some(({ endedAt }) => endedAt === null) ? ', asks a person' : '';
      const silent = (current?.stalledAt ?? null) === null ? '' : ', reports nothing';
      return [
        yellow('→ '),
        ...name,
        '  ',
        cyan(agent ?? 'an agent'),
        yellow(percent),
        number,
        begun,
        yellow(asks + silent),
        dim(spanOf(current, nowMs)),
        ...also,
      ];
    }
    case 'ready':
      return [yellow('· '), ...name, dim(`  waits for an agent that offers ${capability}`), ...also];
    case 'waiting':
      return [dim('· '), ...name.map((part) => (typeof part === 'string' ? dim(part) : part)), ...also];
  }
}

function spanOf(attempt: Attempt | undefined, nowMs: number): string {
  if (attempt?.assignedAt == null) return '';
  const endMs = attempt.endedAt === null ? nowMs : Date.parse(attempt.endedAt);
  return `  ${showDuration(endMs - Date.parse(attempt.assignedAt))}`;
}

const ENDED: Readonly<Partial<Record<Attempt['outcome'], string>>> = {
  failed: 'failed',
  timed_out: 'did not answer in time',
  not_accepted: 'did not begin in time',
  moved: 'was busy; moved to another agent',
  lost: 'was lost: the agent left, or was restarted',
  cancelled: 'was cancelled',
};

function failedAttempts({ attempts }: Task): Branch[] {
  return attempts.flatMap((one) => {
    const words = ENDED[one.outcome];
    if (words === undefined) return [];
    const sign = one.outcome === 'moved' ? dim('· ') : red('✗ ');
    return [
      {
        line: [
          sign,
          dim(`attempt ${one.attempt}: `),
          cyan(one.agent),
          ' ',
          words,
          ...(one.error === null ? [] : [': ', red(one.error)]),
        ],
      },
    ];
  });
}
