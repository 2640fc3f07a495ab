// The outputs of tasks, some of which are handed on by reference: read from the log.
import { isOutputRef, type Json, SwarmError, type TaskOutputs } from '@hypercode/contracts';
import type { Procedures } from '../calls/procedures.ts';
import { isRecord } from '../transport/json.ts';

/** What reads the log. */
export type LogReader = Pick<Procedures['bus'], 'read'>;

/** Outputs that are read at the same time; each has up to the size of an event. */
const READ_AT_ONCE = 4;

/** All outputs of tasks of a plan, none of them a reference. `readOf` reads the one of a task, as often as that can help. */
export async function readOutputs(
  { planId, outputs }: { readonly planId: string; readonly outputs: TaskOutputs },
  log: LogReader,
  readOf: (taskId: string, read: () => Promise<Json>) => Promise<Json>,
): Promise<Record<string, Json>> {
  const whole = new Map(Object.entries(outputs));
  const references = Object.entries(outputs).flatMap(([taskId, output]) =>
    isOutputRef(output) ? [[taskId, output.ref] as const] : [],
  );
  const unread = references.values();
  const readOn = async (): Promise<void> => {
    for (const [taskId, ref] of unread) {
      whole.set(taskId, await readOf(taskId, () => outputAt(ref, { planId, taskId }, log)));
    }
  };
  await Promise.all(Array.from({ length: Math.min(READ_AT_ONCE, references.length) }, readOn));
  return Object.fromEntries(whole) as Record<string, Json>;
}

async function outputAt(
  ref: string,
  { planId, taskId }: { readonly planId: string; readonly taskId: string },
  log: LogReader,
): Promise<Json> {
  const { events } = await log.read({ topics: ['task.*.completed'], at: ref });
  const data = events[0]?.event.data;
  if (!isRecord(data) || data['planId'] !== planId || data['taskId'] !== taskId) {
    throw new SwarmError('NOT_FOUND', 'the event at the given position is not its completion');
  }
  return data['output'] ?? null;
}
