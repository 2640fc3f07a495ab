// How long to wait before the next try: exponential backoff with full jitter
// (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
import type { SwarmError } from '@hypercode/contracts';

const BASE_MS = 100;

/** The longest backoff, in milliseconds. */
export const MAX_BACKOFF_MS = 10_000;
/** The longest backoff while the core can't be reached: calls and streams go on within ten seconds after the network is back. */
export const MAX_OUTAGE_BACKOFF_MS = 4_000;

/** Between two tries of what the policy denies: only a change of the policy can help. */
const FIRST_DENIED_MS = 1_000;
const MAX_DENIED_MS = 30_000;

/** Milliseconds to wait after `failures` (1 or more) failed tries in a row. `random` is at least 0 and below 1. */
export function backoff(failures: number, random: number): number {
  return random * Math.min(MAX_BACKOFF_MS, BASE_MS * 2 ** (failures - 1));
}

/** The backoff on top of what the refusal itself asks for (`retryAfterMs`). */
export function retryDelay(error: SwarmError, failures: number, random: number): number {
  const delayMs = backoff(failures, random);
  return (
    (error.retryAfterMs ?? 0) + (error.is('UNAVAILABLE') ? Math.min(delayMs, random * MAX_OUTAGE_BACKOFF_MS) : delayMs)
  );
}

/** Milliseconds until what the policy denies is tried again: from 1 s, doubling to 30 s, of which jitter takes off up to a half. */
export const deniedDelay = (failures: number, random: number): number =>
  Math.min(MAX_DENIED_MS, FIRST_DENIED_MS * 2 ** (failures - 1)) * (1 - random / 2);
