// The tasks of a plan as a graph: what has to come before what. Loaded when it is wanted.
import type { PlanView } from '@hypercode/client';
import { useMemo } from 'react';
import { shown } from '../../parts/agent-words.ts';
import { Graph } from '../../parts/graph/graph.tsx';
import { TaskAlertMark, TaskStatusMark, type Task } from './plan-marks.tsx';

interface TaskGraphProps {
  readonly plan: PlanView;
  readonly selectedId: string | undefined;
  readonly onSelect: (taskId: string) => void;
}

const BOX_PX = { width: 216, height: 54 };

export function TaskGraph({ plan, selectedId, onSelect }: TaskGraphProps) {
  // The graph stays as it is while only the states of its tasks change.
  const shape = JSON.stringify(plan.tasks.map(({ taskId, dependsOn }) => [taskId, dependsOn]));
  const { boxes, lines } = useMemo(() => shapeOf(plan), [shape]);
  const tasks = new Map(plan.tasks.map((task) => [task.taskId, task]));
  return (
    <Graph
      label="Tasks of the plan, as a graph"
      boxes={boxes}
      lines={lines}
      selectedBox={selectedId}
      onBox={onSelect}
      draw={(id) => {
        const task = tasks.get(id);
        return task === undefined ? null : <TaskBox plan={plan} task={task} />;
      }}
    />
  );
}

function shapeOf({ tasks }: PlanView) {
  const known = new Set(tasks.map(({ taskId }) => taskId));
  return {
    boxes: tasks.map(({ taskId }) => ({ id: taskId, ...BOX_PX })),
    lines: tasks.flatMap(({ taskId, dependsOn }) =>
      dependsOn
        .filter((before) => known.has(before))
        .map((before) => ({ id: `${before} ${taskId}`, from: before, to: taskId })),
    ),
  };
}

function TaskBox({ plan, task }: { readonly plan: PlanView; readonly task: Task }) {
  const { title, status, agent, attempts, progress } = task;
  return (
    <span className="flex h-full min-w-0 flex-col justify-center">
      <span className="flex min-w-0 items-center gap-1.5">
        <span className="min-w-0 flex-1 truncate font-medium">{shown(title)}</span>
        <TaskAlertMark task={task} />
      </span>
      <span className="flex min-w-0 gap-1.5 text-[12px] leading-4">
        <TaskStatusMark plan={plan} status={status} />
        {agent !== null && <span className="truncate text-soft">{shown(agent)}</span>}
        {attempts.length > 1 && <span className="shrink-0 text-warn">attempt {attempts.length}</span>}
        {status === 'assigned' && progress > 0 && (
          <span className="ml-auto text-faint">{Math.round(progress * 100)} %</span>
        )}
      </span>
    </span>
  );
}
