// Time as the Architect uses it, so that tests decide it.
import { setTimeout as sleep } from 'node:timers/promises';

/** The longest delay that timers take; a longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** At least 0, below 1. */
  random(): number;
  /** Runs `run` once, `delayMs` from now; the returned function cancels. */
  schedule(delayMs: number, run: () => void): () => void;
  /** Resolves after `delayMs`, or as soon as `signal` is aborted. */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  schedule(delayMs, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), MAX_DELAY_MS));
    return () => clearTimeout(timer);
  },
  sleep: (delayMs, signal) => sleep(delayMs, undefined, { signal }).catch(() => {}),
};
