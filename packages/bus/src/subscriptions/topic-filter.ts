// What a subscription lets through: topics that one of its patterns matches and none of the hidden ones does.
import { TopicSet } from '@hypercode/contracts';
import type { Projection } from '@hypercode/feed';
import type { LogEntry } from '../store/event-log.ts';

export interface TopicFilter {
  readonly patterns: readonly string[];
  /** What a policy hides from the subscriber. */
  readonly hidden: readonly string[];
}

/** Whether a topic passes. */
export function passing({ patterns, hidden }: TopicFilter): (topic: string) => boolean {
  const shown = new TopicSet(patterns);
  const kept = new TopicSet(hidden);
  return (topic) => shown.has(topic) && !kept.has(topic);
}

/** Maps each event that passes `filter` to `itemOf` it. Equal filters have equal keys. */
export function projectionOf<I>(filter: TopicFilter, itemOf: (entry: LogEntry) => I): Projection<LogEntry, I> {
  const { patterns, hidden } = filter;
  const passes = passing(filter);
  return {
    key: JSON.stringify([[...new Set(patterns)].toSorted(), [...new Set(hidden)].toSorted()]),
    accepts: passes,
    project: (entry) => (passes(entry.topic) ? itemOf(entry) : null),
  };
}
