// Waiting for a condition instead of for time.
import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** What is awaited; the error names it. */
  what: string;
  /** Default 10,000. */
  timeoutMs?: number;
  /** Pause between two looks. Default 20. */
  intervalMs?: number;
}

/**
 * Looks at `condition` until it gives something truthy, and returns that. A condition that throws is looked at again.
 * Fails with what was awaited, for how long, and the condition's last error.
 */
export async function waitFor<T>(condition: () => T | Promise<T>, options: WaitOptions): Promise<NonNullable<T>> {
  const { what, timeoutMs = 10_000, intervalMs = 20 } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    try {
      const value = await condition();
      if (value) return value;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) {
      const because = cause instanceof Error ? `: ${cause.message}` : '';
      throw new Error(`Waited ${timeoutMs} ms in vain for ${what}${because}`, { cause });
    }
    await delay(intervalMs);
  }
}
