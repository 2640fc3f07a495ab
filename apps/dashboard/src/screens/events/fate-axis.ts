// The time of an event's fate, as places from 0 to 1. An attempt takes milliseconds and the wait before the next one minutes, so a time
// between two moments has a width that grows with its logarithm.
import type { FatePart } from './fate-parts.ts';

export interface FateTick {
  /** From 0 to 1. */
  readonly place: number;
  /** Since the first moment, in milliseconds. */
  readonly afterMs: number;
}

export interface FateAxis {
  /** Where a moment is; moments outside are at the ends. */
  readonly placeOf: (ms: number) => number;
  /** Moments that are far enough from one another to be named. */
  readonly ticks: readonly FateTick[];
}

/** What has no width of its own is still seen. */
const LEAST = 1;
const UNIT_MS = 50;
/** Of the whole width, between two named moments. */
const TICK_GAP = 0.12;

/** `nowMs`: where what is open ends. */
export function axisOf(parts: readonly FatePart[], nowMs: number): FateAxis {
  const moments = parts.flatMap(({ atMs, spans }) => [
    ...(atMs === null ? [] : [atMs]),
    ...spans.flatMap(({ fromMs, toMs, dueMs }) => [fromMs, toMs ?? nowMs, dueMs ?? fromMs]),
  ]);
  const times = [...new Set(moments)].toSorted((a, b) => a - b);
  const [first = 0] = times;
  const places = [0];
  for (const [index, time] of times.entries()) {
    const before = times[index - 1];
    if (before === undefined) continue;
    places.push((places.at(-1) ?? 0) + LEAST + Math.log2(1 + (time - before) / UNIT_MS));
  }
  const whole = places.at(-1) || 1;
  const placeOf = (ms: number): number => {
    const after = times.findIndex((time) => time >= ms);
    if (after === -1) return 1;
    const [to = 0, from = 0] = [places[after], places[after - 1]];
    const [end = ms, start = ms] = [times[after], times[after - 1]];
    const share = after === 0 || end === start ? 1 : (ms - start) / (end - start);
    return (from + (to - from) * share) / whole;
  };
  const ticks: FateTick[] = [];
  for (const time of times) {
    const place = placeOf(time);
    if (place - (ticks.at(-1)?.place ?? -1) >= TICK_GAP) ticks.push({ place, afterMs: time - first });
  }
  return { placeOf, ticks };
}
