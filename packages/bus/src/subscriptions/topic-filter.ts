// What a subscription lets through: topics that one of its patterns matches and none of the hidden ones does.
import { topicExpression } from '@hypercode/contracts';
import type { Projection } from '@hypercode/feed';
import type { LogEntry } from '../store/event-log.ts';

export interface TopicFilter {
  readonly patterns: readonly string[];
  /** What a policy hides from the subscriber. */
  readonly hidden: readonly string[];
}

/** Whether a topic passes. */
export function passing({ patterns, hidden }: TopicFilter): (topic: string) => boolean {
  const shown = topicExpression(patterns);
  const kept = topicExpression(hidden);
  return (topic) => shown.test(topic) && !kept.test(topic);
}

/** The same for all who ask for the same; what they hear of an event is `itemOf` it. */
export function projectionOf<I>(filter: TopicFilter, itemOf: (entry: LogEntry) => I): Projection<LogEntry, I> {
  const { patterns, hidden } = filter;
  const passes = passing(filter);
  return {
    key: JSON.stringify([[...new Set(patterns)].toSorted(), [...new Set(hidden)].toSorted()]),
    hears: passes,
    project: (entry) => (passes(entry.topic) ? itemOf(entry) : null),
  };
}
