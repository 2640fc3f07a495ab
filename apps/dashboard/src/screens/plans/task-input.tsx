// What an agent was given for an attempt: the event by which the task was assigned. The views of plans do not have it, so it is read.
import { Link } from '@tanstack/react-router';
import type { SwarmClient } from '@hypercode/client';
import type { LoggedEvent } from '@hypercode/contracts';
import { counted } from '../../parts/duration.ts';
import { JsonText } from '../../parts/json-text.tsx';
import { Refused } from '../../parts/read-at.tsx';
import { useClient } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import type { Attempt } from './plan-marks.tsx';

interface TaskInputProps {
  readonly planId: string;
  readonly taskId: string;
  readonly attempt: Attempt;
}

/** The event is searched within this of the time that the view has, in milliseconds. */
const AROUND_MS = 5_000;

export function TaskInput({ planId, taskId, attempt }: TaskInputProps) {
  const client = useClient();
  const reading = useReading(`${planId} ${taskId} ${attempt.attempt} ${attempt.assignedAt}`, (signal) =>
    readAssigned(client, { planId, taskId, attempt }, signal),
  );
  const { value } = reading;
  if (reading.error !== null) return <Refused reading={reading} />;
  if (reading.readAtMs === null) return null;
  if (value === null) return <p className="text-faint">The event that assigned it is no longer on the bus.</p>;
  const { input = null, dependencies = {} } = value.event.data as { input?: unknown; dependencies?: object };
  return (
    <>
      <JsonText label="Input" value={input} />
      {Object.keys(dependencies).length > 0 && (
        <details className="mt-1.5">
          <summary className="w-max cursor-pointer text-faint hover:text-ink">
            With the {counted(Object.keys(dependencies).length, 'output')} of the tasks before it
          </summary>
          <div className="mt-1">
            <JsonText label="Outputs of the tasks before" value={dependencies} />
          </div>
        </details>
      )}
      <Link
        to="/events/$id"
        params={{ id: value.event.id }}
        search={{ source: value.event.source }}
        className="mt-1.5 inline-block text-accent hover:underline"
      >
        What became of the event that assigned it
      </Link>
    </>
  );
}

async function readAssigned(
  client: SwarmClient,
  { planId, taskId, attempt: { agent, attempt, assignedAt } }: TaskInputProps,
  signal: AbortSignal,
): Promise<LoggedEvent | null> {
  if (assignedAt === null) return null;
  const time = Date.parse(assignedAt);
  const found = client.readEvents(
    {
      topics: [`task.${agent}.assigned`],
      since: new Date(time - AROUND_MS).toISOString(),
      until: new Date(time + AROUND_MS).toISOString(),
    },
    { signal },
  );
  for await (const logged of found) {
    const data = logged.event.data as { planId?: unknown; taskId?: unknown; attempt?: unknown } | null;
    if (data?.planId === planId && data.taskId === taskId && data.attempt === attempt) return logged;
  }
  return null;
}
