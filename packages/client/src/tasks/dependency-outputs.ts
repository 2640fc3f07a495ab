// The outputs of the tasks that a task depends on: given with the assignment, or by reference, then read from the log.
import { isOutputRef, type Json, SwarmError, type TaskAssigned, type TaskOutputs } from '@hypercode/contracts';
import { isRecord } from '../transport/json.ts';
import type { LogReader } from './past-cancellations.ts';
import { TaskError } from './task-error.ts';

/** Outputs that are read at the same time; each has up to the size of an event. */
const READ_AT_ONCE = 4;

/**
 * All outputs, none of them a reference. `insist` repeats a read for as long as that can help.
 * @throws TaskError that names the task whose output cannot be read. It is retryable when another agent may read it.
 */
export async function dependencyOutputs(
  { planId, dependencies }: Pick<TaskAssigned, 'planId' | 'dependencies'>,
  log: LogReader,
  insist: <T>(read: () => Promise<T>) => Promise<T>,
): Promise<TaskOutputs> {
  const outputs = new Map(Object.entries(dependencies));
  const references = Object.entries(dependencies).flatMap(([taskId, output]) =>
    isOutputRef(output) ? [[taskId, output.ref] as const] : [],
  );
  const unread = references.values();
  const readOn = async (): Promise<void> => {
    for (const [taskId, ref] of unread) {
      try {
        outputs.set(taskId, await insist(() => outputAt(ref, { planId, taskId }, log)));
      } catch (thrown) {
        throw unreadable(taskId, thrown);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(READ_AT_ONCE, references.length) }, readOn));
  return Object.fromEntries(outputs);
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

function unreadable(taskId: string, thrown: unknown): TaskError {
  const error = SwarmError.from(thrown);
  const isGone = error.is('COMPACTED') || error.is('NOT_FOUND');
  return new TaskError(`the output of the task "${taskId}" cannot be read: ${error.message}`, {
    retryable: !isGone,
    cause: thrown,
  });
}
