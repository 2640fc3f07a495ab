// Statistics of a namespace over time, and who talks to whom.
import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { inNamespace } from './name.ts';

/** How long a bucket of statistics is, in milliseconds. */
export const STATS_STEP_MS = 10_000;

/**
 * - `published`: events that were appended to the log; duplicates do not count.
 * - `refused`: events that were refused when they were published.
 * - `delivered`, `acked`: deliveries of consumer groups that were handed out, and that were acknowledged.
 * - `redelivered`: deliveries after the first attempt; they count among `delivered`, too.
 * - `dead`: deliveries whose last attempt failed, so that the event became a dead letter.
 * - `publishP99Ms`: time of a publish in milliseconds, which 99 of 100 did not exceed: the largest of the replicas'.
 */
export const StatsMetric = z.enum([
  'published',
  'delivered',
  'acked',
  'redelivered',
  'dead',
  'refused',
  'publishP99Ms',
]);
export type StatsMetric = z.infer<typeof StatsMetric>;

export const StatsSeriesInput = z.object({
  ...inNamespace,
  metrics: z.array(StatsMetric).min(1).max(StatsMetric.options.length).describe('What to read.'),
  since: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('Where the series begin: they are kept for 25 hours. Default: an hour ago.'),
  stepMs: z
    .number()
    .int()
    .min(STATS_STEP_MS)
    .max(86_400_000)
    .multipleOf(STATS_STEP_MS)
    .default(STATS_STEP_MS)
    .describe('Time between two points in milliseconds, a multiple of 10,000. Default: 10,000.'),
});
export type StatsSeriesInput = z.output<typeof StatsSeriesInput>;

const Series = z.array(z.number().nullable());
export const StatsSeries = z
  .object({
    stepMs: z.number().int().positive(),
    /** Where the first point begins, a multiple of `stepMs` since the epoch; each point is about the `stepMs` that follow. */
    start: z.iso.datetime(),
    /** Each metric that was asked for. The last point is under way. Null: the namespace was idle, or nothing was counted. */
    series: z.object({
      published: Series.optional(),
      delivered: Series.optional(),
      acked: Series.optional(),
      redelivered: Series.optional(),
      dead: Series.optional(),
      refused: Series.optional(),
      publishP99Ms: Series.optional(),
    }),
  })
  .meta({ id: 'StatsSeries' });
export type StatsSeries = z.infer<typeof StatsSeries>;

export const TrafficReader = z.object({
  kind: z.enum(['group', 'stream']),
  /** Of the group, or of the agent or token whose streams received the events. */
  name: z.string(),
});
export type TrafficReader = z.infer<typeof TrafficReader>;

export const TrafficEdge = z
  .object({
    /** Who published the events. */
    source: z.string(),
    /** Their topic. Topics beyond a source's hundredth are counted together, as their first two tokens and `>`. */
    topic: z.string(),
    /** Who received them. */
    reader: TrafficReader,
    /** How many. */
    count: z.number().int().positive(),
  })
  .meta({ id: 'TrafficEdge' });
export type TrafficEdge = z.infer<typeof TrafficEdge>;

export const TrafficInput = z.object({
  ...inNamespace,
  windowMs: z
    .number()
    .int()
    .min(60_000)
    .max(LIMITS.trafficWindowMs)
    .default(LIMITS.trafficWindowMs)
    .describe('How far back to count, in milliseconds; whole minutes count. Default, and longest: an hour.'),
});
export type TrafficInput = z.output<typeof TrafficInput>;
export const Traffic = z
  .object({
    /** The largest first: at most 10,000, and at most 200 of one source. */
    edges: z.array(TrafficEdge),
    /** Received events that are on none of these edges. */
    other: z.number().int().nonnegative(),
  })
  .meta({ id: 'Traffic' });
export type Traffic = z.infer<typeof Traffic>;
