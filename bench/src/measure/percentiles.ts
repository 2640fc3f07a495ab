// What a list of measurements says: percentiles, medians, and the ratio of two that were measured in turns.

/** The value below which `percent` of the values lie (nearest rank). Throws for an empty list. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  const value = sorted[rank - 1];
  if (value === undefined) throw new Error('No percentile of an empty list');
  return value;
}

/** The middle of the values; of an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new Error('No median of an empty list');
  return (lower + upper) / 2;
}

/** The median of the ratios of each round, so that a machine that is slow for a while slows both sides of a ratio. */
export function medianRatio(measured: readonly number[], reference: readonly number[]): number {
  if (measured.length !== reference.length) throw new Error('A ratio needs as many rounds of the one as of the other');
  return median(measured.map((value, round) => value / (reference[round] ?? Number.NaN)));
}
