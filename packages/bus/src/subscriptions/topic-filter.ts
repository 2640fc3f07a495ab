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

/** Topics of which the answer is kept; when there are more, all are forgotten and asked for again. */
const MAX_TOPICS = 500;

/** The same for all who ask for the same; what they hear of an event is `itemOf` it. */
export function projectionOf<I>(filter: TopicFilter, itemOf: (entry: LogEntry) => I): Projection<LogEntry, I> {
  const { patterns, hidden } = filter;
  const passes = passing(filter);
  const known = new Map<string, boolean>();
  const hears = (topic: string): boolean => {
    let answer = known.get(topic);
    if (answer === undefined) {
      if (known.size >= MAX_TOPICS) known.clear();
      known.set(topic, (answer = passes(topic)));
    }
    return answer;
  };
  return {
    key: JSON.stringify([[...new Set(patterns)].toSorted(), [...new Set(hidden)].toSorted()]),
    hears,
    project: (entry) => (hears(entry.topic) ? itemOf(entry) : null),
  };
}
