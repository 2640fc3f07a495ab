// The outputs of the tasks that a task depends on: given with the assignment, or by reference, then read from the log.
import { SwarmError, type TaskAssigned, type TaskOutputs } from '@hypercode/contracts';
import { type LogReader, readOutputs } from '../goals/task-outputs.ts';
import { TaskError } from './task-error.ts';

/**
 * All outputs, none of them a reference. `insist` repeats a read for as long as that can help.
 * @throws TaskError that names the task whose output cannot be read. It is retryable when another agent may read it.
 */
export function dependencyOutputs(
  { planId, dependencies }: Pick<TaskAssigned, 'planId' | 'dependencies'>,
  log: LogReader,
  insist: <T>(read: () => Promise<T>) => Promise<T>,
): Promise<TaskOutputs> {
  return readOutputs({ planId, outputs: dependencies }, log, async (taskId, read) => {
    try {
      return await insist(read);
    } catch (thrown) {
      throw unreadable(taskId, thrown);
    }
  });
}

function unreadable(taskId: string, thrown: unknown): TaskError {
  const error = SwarmError.from(thrown);
  const isGone = error.is('COMPACTED') || error.is('NOT_FOUND');
  return new TaskError(`the output of the task "${taskId}" cannot be read: ${error.message}`, {
    retryable: !isGone,
    cause: thrown,
  });
}
