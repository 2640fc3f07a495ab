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
});
export type EventFilterSearch = z.infer<typeof EventFilterSearch>;

/** The filter as `bus.read` takes it. */
export const readInput = ({ topic, source, correlation, until }: EventFilterSearch) => ({
  ...(topic === undefined ? {} : { topics: [topic] }),
  ...(source === undefined ? {} : { source }),
  ...(correlation === undefined ? {} : { correlationId: correlation }),
  ...(until === undefined ? {} : { until }),
});

/** What of a live event the core does not filter. */
export const isWanted = ({ topic, source, correlation }: EventFilterSearch, { event }: LoggedEvent): boolean =>
  (topic === undefined || matches(topic, event.topic)) &&
  (source === undefined || event.source === source) &&
  (correlation === undefined || event.correlationId === correlation);
