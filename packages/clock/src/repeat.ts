// Work in the background, again and again.
import type { Clock } from './clock.ts';

/**
 * Runs `work`, which must not reject, for the first time in `pauseMs` milliseconds and then each time that long after it
 * ended. Returns the function that ends the repetition; a run that is under way goes on to its end.
 */
export function repeat(clock: Pick<Clock, 'schedule'>, pauseMs: number, work: () => void | Promise<void>): () => void {
  let ended = false;
  let cancel = (): void => {};
  const next = (): void => {
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
