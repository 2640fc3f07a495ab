// Time and chance as the registry uses them, so that tests decide both.
import { v7 as uuidv7 } from 'uuid';

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds that never go back. */
  monotonicNow(): number;
  newId(): string;
  /** From 0 to 1, without 1. */
  random(): number;
  /** Runs `run` once, `delayMs` from now; the returned function cancels. What `run` returns is for tests to wait for. */
  schedule(delayMs: number, run: () => void | Promise<void>): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicNow: () => performance.now(),
  newId: () => uuidv7(),
  random: () => Math.random(),
  schedule(delayMs, run) {
    const timer = setTimeout(() => void run(), delayMs);
    return () => clearTimeout(timer);
  },
};

/** Runs `work`, which never rejects, again and again: each time `pauseMs` after the last time ended. Returns what ends it. */
export function repeat(clock: Clock, pauseMs: number, work: () => void | Promise<void>): () => void {
  let ended = false;
  let cancel = () => {};
  const next = () => {
    if (ended) return;
    cancel = clock.schedule(pauseMs, async () => {
      await work();
      next();
    });
  };
  next();
  return () => {
    ended = true;
    cancel();
  };
}
