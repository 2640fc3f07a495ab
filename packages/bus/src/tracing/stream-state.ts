// What one stream has to do with one event. Pure.
import { matches, type StreamState } from '@hypercode/contracts';
import { comparePositions, type LogPosition } from '../store/position.ts';

export interface TracedStream {
  readonly topics: readonly string[];
  /** What the policy hides from its caller. */
  readonly hidden: readonly string[];
  /** Where it began, and up to where it was handed everything. */
  readonly since: LogPosition;
  readonly cursor: LogPosition;
}

/**
 * The first of these that holds: `not_matching`, `not_allowed`, `began_later`, `passed`, `behind`. A stream that began in a log that was lost
 * since goes by its cursor alone; while the cursor is in that log, too, the stream has yet to come to the event.
 */
export function streamState(
  { topics, hidden, since, cursor }: TracedStream,
  event: { readonly position: LogPosition; readonly topic: string },
): StreamState {
  if (!topics.some((pattern) => matches(pattern, event.topic))) return 'not_matching';
  if (hidden.some((pattern) => matches(pattern, event.topic))) return 'not_allowed';
  if (comparePositions(since, event.position) >= 0) return 'began_later';
  return comparePositions(cursor, event.position) >= 0 ? 'passed' : 'behind';
}
