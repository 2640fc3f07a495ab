// Time and chance as the client uses them, so that tests decide both.
import { onAbort } from './on-abort.ts';

/** The largest delay that timers take; a larger one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export interface Clock {
  /** Milliseconds since some fixed moment; never runs backwards. */
  now(): number;
  /** At least 0, below 1. */
  random(): number;
  /** Runs `run` once, `delayMs` from now; the returned function cancels. */
  schedule(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  random: () => Math.random(),
  schedule(delayMs, run) {
    const timer = setTimeout(run, Math.min(delayMs, MAX_DELAY_MS));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or as soon as `signal` is aborted. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const release = onAbort(signal, () => {
      cancel();
      resolve();
    });
    const cancel = clock.schedule(delayMs, () => {
      release();
      resolve();
    });
  });
}
