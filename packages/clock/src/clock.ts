// The clock that everything takes its time from. Runs in browsers, too.
import { v7 as uuidv7 } from 'uuid';

export interface Clock {
  /** Milliseconds since the epoch. The system's time may be set, so it can jump either way: for timestamps only. */
  epochMs(): number;
  /** Milliseconds since some fixed moment. It never goes back: for durations and deadlines. */
  monotonicMs(): number;
  /**
   * Runs `run` once, `delayMs` milliseconds from now; at once when that is not above 0. A delay beyond 24.8 days counts as
   * that, which is the longest that timers take. The returned function cancels. A test's clock awaits what `run` returns.
   */
  schedule(delayMs: number, run: () => void | Promise<void>): () => void;
  /** At least 0, below 1. */
  random(): number;
  /** A new UUID of version 7 (RFC 9562, section 5.7): ids made later sort later. */
  newId(): string;
}

/** A timer with a longer delay would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  epochMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(delayMs, run) {
    const timer = setTimeout(() => void run(), Math.min(Math.max(0, delayMs), MAX_DELAY_MS));
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
  newId: () => uuidv7(),
};
