// The tasks of a plan, each with its attempts as bars over the time of the plan.
import type { PlanView } from '@hypercode/client';
import { shown } from '../../parts/agent-words.ts';
import { durationText } from '../../parts/duration.ts';
import { useNow } from '../../swarm/swarm-context.tsx';
import { OUTCOMES, TaskAlertMark, TaskStatusMark } from './plan-marks.tsx';
import { spanIn, spanOf } from './timeline.ts';

interface TaskTimelineProps {
  readonly plan: PlanView;
  readonly selectedId: string | undefined;
  readonly onSelect: (taskId: string) => void;
}

export function TaskTimeline({ plan, selectedId, onSelect }: TaskTimelineProps) {
  const now = useNow();
  const span = spanOf(plan, now);
  return (
    <ul className="flex flex-col">
      {plan.tasks.map((task) => {
        const { taskId, title, status, agent, attempts, progress } = task;
        return (
          <li key={taskId}>
            <button
              type="button"
              aria-pressed={taskId === selectedId}
              className={`grid w-full grid-cols-[minmax(10rem,1fr)_9rem_8rem_minmax(10rem,2fr)] items-center gap-4 rounded px-2 py-1.5 text-left hover:bg-accent-wash/60 max-md:grid-cols-[1fr_9rem] ${taskId === selectedId ? 'bg-accent-wash' : ''}`}
              onClick={() => onSelect(taskId)}
            >
              <span className="flex min-w-0 items-center gap-2">
                <span className="min-w-0 truncate font-medium">{shown(title)}</span>
                <TaskAlertMark task={task} />
              </span>
              <span>
                <TaskStatusMark plan={plan} status={status} />
                {status === 'assigned' && progress > 0 && (
                  <span className="text-faint"> {Math.round(progress * 100)} %</span>
                )}
              </span>
              <span className="truncate text-soft max-md:hidden">{agent === null ? '' : shown(agent)}</span>
              <span className="relative h-3 rounded-sm bg-line/50 max-md:hidden">
                {attempts.map((attempt) => {
                  const place = spanIn(span, attempt);
                  if (place === null) return null;
                  return (
                    <span
                      key={attempt.attempt}
                      title={`Attempt ${attempt.attempt}, ${shown(attempt.agent)}: ${OUTCOMES[attempt.outcome].text}`}
                      className={`absolute inset-y-0 rounded-sm ${OUTCOMES[attempt.outcome].bar}`}
                      style={{ left: `${place.from * 100}%`, width: `${place.width * 100}%` }}
                    />
                  );
                })}
              </span>
            </button>
          </li>
        );
      })}
      <li className="grid grid-cols-[minmax(10rem,1fr)_9rem_8rem_minmax(10rem,2fr)] gap-4 px-2 text-[11px] text-faint max-md:hidden">
        <span className="col-start-4 flex justify-between">
          <span>submitted</span>
          <span>{durationText(span.endMs - span.startMs)}</span>
        </span>
      </li>
    </ul>
  );
}
