// The part of a list that an answer has room for.

/** The first values that come to about `maxBytes` of JSON together. */
export function within<T>(values: readonly T[], maxBytes: number): T[] {
  let left = maxBytes;
  const taken: T[] = [];
  for (const value of values) {
    left -= JSON.stringify(value).length;
    if (left < 0) break;
    taken.push(value);
  }
  return taken;
}
