// The events that a read finds, one after another, whatever pages they come in.
import type { ApiInput, LoggedEvent } from '@hypercode/contracts';
import type { CallOptions, Procedures } from './procedures.ts';

/** As `bus.read` takes it; `limit` is the size of a page. */
export type ReadEventsInput = ApiInput<'bus.read'>;

/**
 * Reads until all is searched that the log had when its last page was read. A page is asked for when the events of the one before were
 * taken. Rejects as `bus.read` does.
 */
export async function* readEvents(
  bus: Pick<Procedures['bus'], 'read'>,
  input: ReadEventsInput = {},
  options: CallOptions = {},
): AsyncGenerator<LoggedEvent, void, undefined> {
  const cursor = input.order === 'newest' ? 'before' : 'after';
  for (let place = input[cursor]; ;) {
    const page = await bus.read({ ...input, [cursor]: place }, options);
    yield* page.events;
    // A core of an earlier release knows no `before`, and would answer with the same page again.
    if (page.end || page.next === place) return;
    place = page.next;
  }
}
