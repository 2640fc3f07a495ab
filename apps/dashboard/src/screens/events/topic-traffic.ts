// How many events of each topic were received over the last hour, as the core counted them: `stats.traffic` over windows that all end now,
// of which the differences are the times between.
import type { SwarmClient } from '@hypercode/client';
import type { TrafficEdge } from '@hypercode/contracts';

/** Where the steps of a sparkline begin, in minutes before now; the last one ends now. */
export const WINDOW_MINUTES = [60, 30, 15, 5] as const;
const MINUTE_MS = 60_000;

export interface TopicTraffic {
  /** Events a minute in each step, the oldest first. */
  readonly perMinute: readonly number[];
  /** Events in all of the hour. */
  readonly sum: number;
}

/** By topic, and by each beginning of topics. */
export type TopicTraffics = ReadonlyMap<string, TopicTraffic>;

/** The reads are one request. */
export async function readTopicTraffic(client: SwarmClient, signal: AbortSignal): Promise<TopicTraffics> {
  const windows = await Promise.all(
    WINDOW_MINUTES.map((minutes) => client.stats.traffic({ windowMs: minutes * MINUTE_MS }, { signal })),
  );
  return topicTrafficOf(windows.map(({ edges }) => edges));
}

/** `windows`: the edges of each of `WINDOW_MINUTES`. */
export function topicTrafficOf(windows: readonly (readonly TrafficEdge[])[]): TopicTraffics {
  const counts = new Map<string, number[]>();
  for (const [step, edges] of windows.entries()) {
    for (const { topic, count } of edges) {
      for (const path of beginningsOf(topic)) {
        const known = counts.get(path) ?? WINDOW_MINUTES.map(() => 0);
        known[step] = (known[step] ?? 0) + count;
        counts.set(path, known);
      }
    }
  }
  return new Map(Array.from(counts, ([path, whole]) => [path, trafficOf(whole)]));
}

function trafficOf(counts: readonly number[]): TopicTraffic {
  const perMinute = counts.map((count, step) => {
    // A window that was read a moment later may have a little more than a longer one.
    const between = Math.max(0, count - (counts[step + 1] ?? 0));
    return between / ((WINDOW_MINUTES[step] ?? 0) - (WINDOW_MINUTES[step + 1] ?? 0));
  });
  return { perMinute, sum: counts[0] ?? 0 };
}

/** `a`, `a.b` and `a.b.c` of `a.b.c`. What the core counted together, as `a.b.>`, counts for `a.b` and its beginnings. */
function beginningsOf(topic: string): readonly string[] {
  const tokens = (topic.endsWith('.>') ? topic.slice(0, -'.>'.length) : topic).split('.');
  return tokens.map((_, index) => tokens.slice(0, index + 1).join('.'));
}
