// The tasks of a plan as a table.
import type { PlanView } from '@hypercode/client';
import { At } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { durationText } from '../../parts/duration.ts';
import { useNow } from '../../swarm/swarm-context.tsx';
import { type Task, TaskAlertMark, TaskStatusMark } from './plan-marks.tsx';

interface TaskListProps {
  readonly plan: PlanView;
  readonly selectedId: string | undefined;
  readonly onSelect: (taskId: string) => void;
}

const HEAD = 'py-1 pr-6 text-left text-[12px] font-normal text-faint whitespace-nowrap';
const CELL = 'py-1.5 pr-6 align-top';

export function TaskList({ plan, selectedId, onSelect }: TaskListProps) {
  return (
    <div className="overflow-x-auto">
      <table aria-label="Tasks" className="w-full">
        <thead>
          <tr className="border-b border-line">
            {['Task', 'State', 'Needs', 'Agent', 'Attempts', 'Began', 'Took', 'Last error'].map((head) => (
              <th key={head} scope="col" className={HEAD}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {plan.tasks.map((task) => (
            <Row
              key={task.taskId}
              plan={plan}
              task={task}
              isSelected={task.taskId === selectedId}
              onSelect={onSelect}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  readonly plan: PlanView;
  readonly task: Task;
  readonly isSelected: boolean;
  readonly onSelect: (taskId: string) => void;
}

function Row({ plan, task, isSelected, onSelect }: RowProps) {
  const { taskId, title, status, capability, agent, attempts, error } = task;
  const first = attempts[0]?.assignedAt ?? null;
  return (
    <tr className={`border-b border-line/60 last:border-b-0 ${isSelected ? 'bg-accent-wash' : ''}`}>
      <td className={CELL}>
        <button
          type="button"
          aria-pressed={isSelected}
          className="text-left font-medium hover:underline"
          onClick={() => onSelect(taskId)}
        >
          {shown(title)}
        </button>
      </td>
      <td className={`${CELL} whitespace-nowrap`}>
        <TaskStatusMark plan={plan} status={status} /> <TaskAlertMark task={task} />
      </td>
      <td className={`${CELL} font-mono text-[12px]`}>{shown(capability)}</td>
      <td className={CELL}>{agent === null ? '' : shown(agent)}</td>
      <td className={CELL}>{attempts.length}</td>
      <td className={CELL}>{first !== null && <At time={first} />}</td>
      <td className={`${CELL} whitespace-nowrap`}>{first !== null && <Took from={first} task={task} />}</td>
      <td className={`${CELL} max-w-72 truncate text-soft`} title={error === null ? undefined : shown(error)}>
        {error === null || status === 'completed' ? '' : shown(error)}
      </td>
    </tr>
  );
}

/** From its first assignment to its end, or to now. */
function Took({ from, task: { attempts, status } }: { readonly from: string; readonly task: Task }) {
  const now = useNow();
  const end = attempts.at(-1)?.endedAt ?? null;
  if (end === null && status !== 'assigned') return null;
  return durationText((end === null ? now : Date.parse(end)) - Date.parse(from));
}
