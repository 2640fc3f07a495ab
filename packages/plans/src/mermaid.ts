// A plan as a diagram.
import type { TaskStatus } from '@hypercode/contracts';
import { type Plan, statusOf } from './plan.ts';

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
