// Patience with a store that starts at the same time as the core.
import { refusalOf } from '@hypercode/stores';
import { setTimeout as delay } from 'node:timers/promises';

export interface PatienceOptions {
  /** Ends the waiting. */
  signal: AbortSignal;
  /** Told once, when the first try failed. */
  onRetry: (error: unknown) => void;
}

/** How long a store may take to answer the first time, in milliseconds. */
const PATIENCE_MS = 60_000;
const RETRY_MS = 500;

/** Repeats `attempt` while the store does not answer, for a minute at most. Other failures are thrown at once. */
export async function untilItAnswers(
  attempt: () => Promise<void>,
  { signal, onRetry }: PatienceOptions,
): Promise<void> {
  const givenUpAt = performance.now() + PATIENCE_MS;
  for (let tries = 0; ; tries += 1) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (refusalOf(error).code !== 'UNAVAILABLE' || performance.now() > givenUpAt) throw error;
      if (tries === 0) onRetry(error);
      await delay(RETRY_MS, undefined, { signal });
    }
  }
}
