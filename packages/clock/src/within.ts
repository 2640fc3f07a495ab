// A bound on how long an answer is waited for.
import type { Clock } from './clock.ts';

/**
 * Settles as `work` does, or rejects with the error that `timeout` makes when `work` has not settled within `limitMs`
 * milliseconds. `work` itself goes on; its later result is ignored, a rejection included.
 */
export async function within<T>(
  clock: Clock,
  limitMs: number,
  { work, timeout }: { work: Promise<T>; timeout: () => Error },
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.schedule(limitMs, () => late.reject(timeout()));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    cancel();
  }
}
