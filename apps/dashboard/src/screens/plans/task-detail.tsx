// A task: what it depends on, each attempt with its agent and why that one, and what it gave.
import { Link } from '@tanstack/react-router';
import type { PlanView } from '@hypercode/client';
import { isOutputRef } from '@hypercode/contracts';
import { useState } from 'react';
import { Age, At, Countdown } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { durationText } from '../../parts/duration.ts';
import { Button } from '../../parts/button.tsx';
import { Code, Fact, Facts, Section } from '../../parts/panel.tsx';
import { Refused } from '../../parts/read-at.tsx';
import { useClient } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { JsonText } from '../../parts/json-text.tsx';
import { type Attempt, OUTCOMES, type Task, TaskStatusMark } from './plan-marks.tsx';
import { OpenQuestions } from './open-questions.tsx';
import { alertOf, type TaskAlert } from './task-alerts.ts';
import { TaskInput } from './task-input.tsx';

interface TaskDetailProps {
  readonly plan: PlanView;
  readonly task: Task;
  readonly onSelect: (taskId: string) => void;
}

export function TaskDetail({ plan, task, onSelect }: TaskDetailProps) {
  const { taskId, title, status, capability, dependsOn, attempts, error } = task;
  const output = plan.outputs[taskId];
  const last = attempts.at(-1);
  const alert = alertOf(task);
  const titles = new Map(plan.tasks.map((one) => [one.taskId, one.title]));
  return (
    <Section title={shown(title)} note="selected task">
      {alert !== null && (
        <div className="mb-3">
          <Alert alert={alert} deadlineAt={task.deadlineAt} />
        </div>
      )}
      <Facts>
        <Fact name="State">
          <TaskStatusMark plan={plan} status={status} />
        </Fact>
        <Fact name="Needs">
          <Code>{capability}</Code>
        </Fact>
        {dependsOn.length > 0 && (
          <Fact name="After">
            <span className="flex flex-wrap gap-x-3">
              {dependsOn.map((id) => (
                <button key={id} type="button" className="text-accent hover:underline" onClick={() => onSelect(id)}>
                  {shown(titles.get(id) ?? id)}
                </button>
              ))}
            </span>
          </Fact>
        )}
        {error !== null && status !== 'completed' && (
          <Fact name="Last error">
            <span className="text-bad">{shown(error)}</span>
          </Fact>
        )}
      </Facts>
      {attempts.length > 0 && (
        <ol className="mt-3 flex flex-col gap-2">
          {attempts.map((attempt) => (
            <AttemptRow key={attempt.attempt} attempt={attempt} />
          ))}
        </ol>
      )}
      {last !== undefined && (
        <>
          <h3 className="mt-4 mb-1 text-faint">Input of attempt {last.attempt}</h3>
          <TaskInput planId={plan.planId} taskId={taskId} attempt={last} />
        </>
      )}
      {output !== undefined && (
        <>
          <h3 className="mt-4 mb-1 text-faint">Output</h3>
          {isOutputRef(output) ? <LongOutput position={output.ref} /> : <JsonText label="Output" value={output} />}
        </>
      )}
    </Section>
  );
}

function Alert({ alert, deadlineAt }: { readonly alert: TaskAlert; readonly deadlineAt: string | null }) {
  if (alert.kind === 'asks') return <OpenQuestions questions={alert.questions} />;
  return (
    <p className="rounded bg-warn-wash px-3 py-2 text-warn">
      <Link to="/agents/$name" params={{ name: alert.agent }} className="font-medium underline">
        {shown(alert.agent)}
      </Link>{' '}
      reports nothing, noticed <Age at={alert.since} />, and asks no person. The task goes to another agent
      {deadlineAt === null ? (
        ' at its deadline'
      ) : (
        <>
          {' '}
          at its deadline, <Countdown until={deadlineAt} />
        </>
      )}
      .
    </p>
  );
}

function AttemptRow({ attempt }: { readonly attempt: Attempt }) {
  const { attempt: number, agent, assignedAt, acceptedAt, endedAt, outcome, error, because } = attempt;
  const took = acceptedAt !== null && endedAt !== null ? Date.parse(endedAt) - Date.parse(acceptedAt) : null;
  return (
    <li className="grid grid-cols-[2rem_10rem_8rem_1fr] gap-3 border-l-2 border-line pl-3">
      <span className="text-faint">{number}</span>
      <Link to="/agents/$name" params={{ name: agent }} className="truncate font-medium hover:underline">
        {shown(agent)}
      </Link>
      <span className={OUTCOMES[outcome].look}>{OUTCOMES[outcome].text}</span>
      <span className="min-w-0 text-soft">
        {assignedAt !== null && (
          <>
            assigned <At time={assignedAt} />
          </>
        )}
        {took !== null && <> · worked {durationText(took)}</>}
        {because !== null && <p className="text-faint">Why this agent: {shown(because)}</p>}
        {error !== null && <p className="break-words text-bad">{shown(error)}</p>}
      </span>
    </li>
  );
}

/** An output that is too long for the view of the plan: it is read from the log when a person asks for it. */
function LongOutput({ position }: { readonly position: string }) {
  const [isOpen, setOpen] = useState(false);
  if (isOpen) return <OutputAt position={position} />;
  return <Button onClick={() => setOpen(true)}>Read the long output</Button>;
}

function OutputAt({ position }: { readonly position: string }) {
  const client = useClient();
  const reading = useReading(position, (signal) =>
    client.bus.read({ topics: ['task.*.completed'], at: position }, { signal }),
  );
  if (reading.value === null) return <Refused reading={reading} />;
  const data = reading.value.events[0]?.event.data as { output?: unknown } | undefined;
  if (data === undefined) return <p className="text-faint">Retention has removed it.</p>;
  return <JsonText label="Output" value={data.output ?? null} />;
}
