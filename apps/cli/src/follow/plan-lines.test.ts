import type { PlanView } from '@hypercode/client';
import { expect, test } from 'vitest';
import { type Line, partsOf } from '../output/parts.ts';
import { planChanges } from './plan-changes.ts';
import { planLines } from './plan-lines.ts';

const NOW = Date.parse('2026-03-01T12:01:30.000Z');
const at = (second: number): string => new Date(Date.parse('2026-03-01T12:00:00.000Z') + second * 1000).toISOString();

type Task = PlanView['tasks'][number];
const task = (taskId: string, more: Partial<Task> = {}): Task => ({
  ...{ taskId, title: `Task ${taskId}`, capability: taskId, dependsOn: [], status: 'waiting', agent: null, attempt: 0 },
  ...{ progress: 0, deadlineAt: null, error: null, attempts: [], reviews: null, questions: [] },
  ...more,
});
const attempt = (number: number, outcome: Task['attempts'][number]['outcome'], more: object = {}) => ({
  ...{
    attempt: number,
    agent: `worker-${number}`,
    assignedAt: at(10),
    acceptedAt: at(11),
    stalledAt: null,
    deadlineAt: at(100),
    endedAt: at(40),
  },
  ...{ outcome, error: null, because: null },
  ...more,
});
const plan = (more: Partial<PlanView> = {}): PlanView => ({
  ...{ planId: 'p', goalId: 'g', title: 'Release', status: 'running', planner: null, reason: null, missing: [] },
  ...{
    submittedAt: at(0),
    deadlineAt: null,
    endedAt: null,
    retries: 0,
    tasks: [],
    outputs: {},
    rejections: [],
    approval: null,
  },
  ...more,
});
const textOf = (line: Line): string =>
  partsOf(line)
    .map((part) => (typeof part === 'string' ? part : part.text))
    .join('');

const TASKS = [
  task('draft', {
    status: 'completed',
    agent: 'worker-1',
    attempt: 1,
    progress: 1,
    attempts: [attempt(1, 'completed')],
  }),
  task('test', {
    ...{ status: 'assigned', agent: 'worker-2', attempt: 2, progress: 0.4, dependsOn: ['draft'] },
    attempts: [attempt(1, 'failed', { error: 'no disk' }), attempt(2, 'running', { endedAt: null })],
  }),
  task('translate', { status: 'ready', dependsOn: ['draft'] }),
  task('publish', { dependsOn: ['translate', 'test'] }),
];

test('a plan is a tree of its tasks, with agents, progress and failed attempts', () => {
  const given = plan({ tasks: TASKS, missing: ['translate'], retries: 1 });
  expect(planLines(given, NOW).map(textOf).join('\n')).toMatchInlineSnapshot(`
    "→ Release  running  1m 30s
      plan p  goal g  retried 1 time
      ███████░░░░░░░░░░░░░ 1 of 4 tasks
      no agent offers translate
      └─ ✓ Task draft (draft)  worker-1  30s
         ├─ → Task test (test)  worker-2, 40 %, attempt 2  1m 20s
         │  ├─ ✗ attempt 1: worker-1 failed: no disk
         │  └─ · Task publish (publish), after translate, too
         └─ · Task translate (translate)  waits for an agent that offers translate"
  `);
});

test('a plan that has failed says why', () => {
  const given = plan({ status: 'failed', reason: 'the task test failed', endedAt: at(50) });
  expect(planLines(given, NOW).map(textOf).join('\n')).toMatchInlineSnapshot(`
    "✗ Release  failed  50s
      plan p  goal g
      the task test failed"
  `);
});

test('what happened between two views is said in a line each', () => {
  const before = plan({ tasks: [task('draft', { status: 'assigned', agent: 'worker-1', attempt: 1 }), task('test')] });
  expect(planChanges(null, before).map(textOf)).toEqual([
    'plan p (Release): running',
    'task draft: assigned to worker-1',
  ]);
  expect(planChanges(before, plan({ tasks: TASKS, status: 'failed', reason: 'no disk' })).map(textOf)).toEqual([
    'plan p (Release): failed: no disk',
    'task draft: completed by worker-1',
    'task test: attempt 1 of worker-1: failed: no disk',
    'task test: assigned to worker-2, attempt 2',
  ]);
  expect(planChanges(before, before)).toEqual([]);
});

test('a task whose agent asks a person, or reports nothing, says so', () => {
  const question = { agent: 'worker-1', questionId: 'q', text: 'Which?', askedAt: at(20), endedAt: null };
  const running = { status: 'assigned', agent: 'worker-1', attempt: 1 } as const;
  const tasks = [
    task('asks', { ...running, attempts: [attempt(1, 'running', { endedAt: null })], questions: [question] }),
    task('hangs', { ...running, attempts: [attempt(1, 'running', { endedAt: null, stalledAt: at(80) })] }),
  ];
  const text = planLines(plan({ tasks }), NOW).map(textOf).join('\n');
  expect(text).toMatch(/Task asks .*, asks a person/);
  expect(text).toMatch(/Task hangs .*, reports nothing/);
});
