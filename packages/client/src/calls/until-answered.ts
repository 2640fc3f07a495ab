// Repeats a call that the core takes once, however often it comes.
import { sleep } from '@hypercode/clock';
import { SwarmError } from '@hypercode/contracts';
import { retryDelay } from '../transport/backoff.ts';
import type { Connection } from '../transport/connection.ts';

/** Repeats `call` after each refusal that a repetition can help, for as long as the client goes on publishing an event. */
export async function untilAnswered<T>(
  connection: Pick<Connection, 'clock' | 'publishTimeoutMs' | 'closed'>,
  call: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const { clock, publishTimeoutMs, closed } = connection;
  const stop = signal === undefined ? closed : AbortSignal.any([signal, closed]);
  const deadline = clock.monotonicMs() + publishTimeoutMs;
  for (let failures = 1; ; failures += 1) {
    try {
      return await call();
    } catch (thrown) {
      const error = SwarmError.from(thrown);
      const delayMs = retryDelay(error, failures, clock.random());
      if (!error.retryable || stop.aborted || clock.monotonicMs() + delayMs > deadline) throw error;
      await sleep(clock, delayMs, stop);
      if (stop.aborted) throw error;
    }
  }
}
