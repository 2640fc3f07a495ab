// Which events are shown, in the words of the API, as the address has them.
import { type LoggedEvent, matches } from '@hypercode/contracts';
import { z } from 'zod';

const word = z.string().max(512).optional().catch(undefined);

export const EventFilterSearch = z.object({
  /** A pattern, such as `task.*.assigned`. */
  topic: word,
  source: word,
  correlation: word,
  /** An ISO time: only events that were appended before it. */
  until: z.iso.datetime().optional().catch(undefined),
  /** The position of the one event that is shown. */
  at: word,
  /** A JSONPath: only events whose data has a node there. */
  where: word,
  /** Whether the tree of topics is open. */
  tree: z.boolean().optional().catch(undefined),
});
export type EventFilterSearch = z.infer<typeof EventFilterSearch>;

/** The filter as `bus.read` takes it. */
export const readInput = ({ topic, source, correlation, until, at }: EventFilterSearch) => ({
  ...(topic === undefined ? {} : { topics: [topic] }),
  ...(source === undefined ? {} : { source }),
  ...(correlation === undefined ? {} : { correlationId: correlation }),
  ...(at === undefined ? {} : { at }),
  // The event at a position is of one time.
  ...(until === undefined || at !== undefined ? {} : { until }),
});

/** Whether the list stands still: what it shows is of a time that has passed. */
export const isPast = ({ until, at }: EventFilterSearch): boolean => until !== undefined || at !== undefined;

/** What of a live event the core does not filter. */
export const isWanted = ({ topic, source, correlation }: EventFilterSearch, { event }: LoggedEvent): boolean =>
  (topic === undefined || matches(topic, event.topic)) &&
  (source === undefined || event.source === source) &&
  (correlation === undefined || event.correlationId === correlation);
