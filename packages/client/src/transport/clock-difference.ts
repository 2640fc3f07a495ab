// How far the clock of this process is from the core's.

/** Less is not worth a word, in milliseconds. */
const TOLERATED_MS = 5_000;
/** The header `date` has whole seconds. */
const RESOLUTION_MS = 1_000;

/**
 * By how many milliseconds this process' clock is ahead of the core's (negative: behind), when that is certainly more than 5 s;
 * otherwise null. `date` is the header of an answer whose request was sent at `sentMs`, and which arrived at `receivedMs`, by this
 * process' clock: however long it took, the core wrote it between the two.
 */
export function clockDifference(
  date: string | null,
  { sentMs, receivedMs }: { sentMs: number; receivedMs: number },
): number | null {
  const coreMs = date === null ? NaN : Date.parse(date);
  const isAhead = sentMs - (coreMs + RESOLUTION_MS) > TOLERATED_MS;
  const isBehind = coreMs - receivedMs > TOLERATED_MS;
  if (!isAhead && !isBehind) return null;
  return Math.round((sentMs + receivedMs - RESOLUTION_MS) / 2 - coreMs);
}
