// Which events a read answers with: by topic, time of appending, and what the events say.
import type { LoggedEvent, ReadInput, SwarmEvent } from '@hypercode/contracts';
import type { LogEntry } from '../store/event-log.ts';
import { formatPosition } from '../store/position.ts';

export type ReadFilter = Pick<ReadInput, 'since' | 'until' | 'source' | 'correlationId' | 'causationId'>;

/** The event as it is answered with; null when it does not pass. */
export type Answering = (entry: LogEntry) => LoggedEvent | null;

export const loggedEventOf = ({ position, appendedAtMs }: LogEntry, event: SwarmEvent): LoggedEvent => ({
  position: formatPosition(position),
  appendedAt: appendedAtMs === null ? null : new Date(appendedAtMs).toISOString(),
  event,
});

/**
 * An event whose time of appending is not known is in no span of time. JSON is parsed only of events whose text has what is searched
 * for: the text of an event was made by `JSON.stringify`, which writes a value in one way. Data may have the same text, so the fields of the
 * event decide.
 */
export function answering(
  { since, until, source, correlationId, causationId }: ReadFilter,
  passes: (topic: string) => boolean,
): Answering {
  const wanted = Object.entries({ source, correlationId, causationId }).filter(([, value]) => value !== undefined);
  const texts = wanted.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const sinceMs = since === undefined ? -Infinity : Date.parse(since);
  const untilMs = until === undefined ? Infinity : Date.parse(until);
  const isTimed = since !== undefined || until !== undefined;
  return (entry) => {
    const { topic, text, appendedAtMs } = entry;
    if (!passes(topic)) return null;
    if (isTimed && (appendedAtMs === null || appendedAtMs < sinceMs || appendedAtMs >= untilMs)) return null;
    if (!texts.every((part) => text.includes(part))) return null;
    const event = JSON.parse(text) as SwarmEvent;
    const has = ([name, value]: [string, unknown]) => event[name as keyof SwarmEvent] === value;
    return wanted.every(has) ? loggedEventOf(entry, event) : null;
  };
}
