// Patience with a store that starts at the same time as the core.
import { type Clock, sleep } from '@hypercode/clock';
import { isMisconfigured, refusalOf } from '@hypercode/stores';

export interface PatienceOptions {
  clock: Clock;
  /** Ends the waiting: the call rejects with its reason. */
  signal: AbortSignal;
  /** Called once, when the first attempt failed. */
  onRetry: (error: unknown) => void;
}

/** How long a store may take to answer the first time, in milliseconds. */
const PATIENCE_MS = 60_000;
const RETRY_MS = 500;

/** Repeats `attempt` while the store does not answer, for a minute at most. Other failures are thrown at once. */
export async function untilItAnswers(
  attempt: () => Promise<void>,
  { clock, signal, onRetry }: PatienceOptions,
): Promise<void> {
  const givenUpAt = clock.monotonicMs() + PATIENCE_MS;
  for (let tries = 0; ; tries += 1) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (isMisconfigured(error) || refusalOf(error).code !== 'UNAVAILABLE' || clock.monotonicMs() > givenUpAt)
        throw error;
      if (tries === 0) onRetry(error);
      await sleep(clock, RETRY_MS, signal);
      signal.throwIfAborted();
    }
  }
}
