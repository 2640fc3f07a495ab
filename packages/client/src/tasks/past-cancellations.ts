// The cancellations of an agent's tasks that are in the log already: those that were published while no process of the agent
// listened.
import { readEventData, SwarmError, type TaskCancelled } from '@hypercode/contracts';
import type { LogReader } from '../goals/task-outputs.ts';
import { taskEvents } from './task-events.ts';

const PAGE_SIZE = 500;

/**
 * The cancellations of tasks of the agent `name` after a position, up to where the log ended when the call began. Where the
 * log no longer reaches back so far, those that it has kept. Rejects as `bus.read` does.
 */
export async function* pastCancellations(
  log: LogReader,
  { name, after, signal }: { readonly name: string; readonly after: string; readonly signal: AbortSignal },
): AsyncGenerator<TaskCancelled, void, undefined> {
  const topic = `task.${name}.cancelled` as const;
  let position: string | undefined = after;
  for (let isEnd = false; !isEnd;) {
    let page: Awaited<ReturnType<LogReader['read']>>;
    try {
      page = await log.read({ topics: [topic], after: position, limit: PAGE_SIZE }, { signal });
    } catch (thrown) {
      if (position === undefined || !SwarmError.from(thrown).is('COMPACTED')) throw thrown;
      position = undefined;
      continue;
    }
    for (const { event } of page.events) {
      const cancelled = cancellationIn(event.data, topic);
      if (cancelled !== null) yield cancelled;
    }
    // A core before this release does not report the end; there it is reached when the position does not move.
    isEnd = page.end ?? page.next === position;
    position = page.next;
  }
}

/** Null when it is none: a cancellation that cannot be read cancels nothing. */
function cancellationIn(data: unknown, topic: string): TaskCancelled | null {
  try {
    return readEventData(taskEvents, topic, data) as TaskCancelled;
  } catch {
    return null;
  }
}
