// From the rows of a store to series with a point for each step.
import { invalidField, LIMITS, type StatsMetric, type StatsSeries } from '@hypercode/contracts';

/** The sums of a step, over all replicas; null where nothing was counted. `step` is where it begins, in milliseconds since the epoch. */
export type StepRow = { readonly step: number } & Readonly<Record<StatsMetric, number | null>>;

export interface SeriesRange {
  readonly startMs: number;
  readonly stepMs: number;
  readonly points: number;
}

const HOUR_MS = 3_600_000;

/** INVALID_INPUT when there would be too many points. */
export function rangeOf(since: string | undefined, stepMs: number, nowMs: number): SeriesRange {
  const from = since === undefined ? nowMs - HOUR_MS : Math.min(Date.parse(since), nowMs);
  const startMs = from - (((from % stepMs) + stepMs) % stepMs);
  const points = Math.floor((nowMs - startMs) / stepMs) + 1;
  if (points > LIMITS.seriesPoints) {
    throw invalidField(
      'stepMs',
      `is too short: there would be ${points} points, and ${LIMITS.seriesPoints} are allowed`,
    );
  }
  return { startMs, stepMs, points };
}

export function seriesOf(
  metrics: readonly StatsMetric[],
  rows: readonly StepRow[],
  { startMs, stepMs, points }: SeriesRange,
): StatsSeries {
  const byPoint = new Map(rows.map((row) => [(row.step - startMs) / stepMs, row]));
  const series = metrics.map((metric) => [
    metric,
    Array.from({ length: points }, (_, point) => byPoint.get(point)?.[metric] ?? null),
  ]);
  return { stepMs, start: new Date(startMs).toISOString(), series: Object.fromEntries(series) };
}
