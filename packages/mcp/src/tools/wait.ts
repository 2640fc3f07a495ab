// Waiting within a call: for values of a stream, for a bounded time. Nothing is kept between two calls.
import type { ApiInput, ApiOutput, ProcedureName } from '@hypercode/contracts';
import { type Call, openStream, servedProcedure } from '@hypercode/server';
import { z } from 'zod';

/** Longest wait of a call, in milliseconds: below the time after which clients and proxies give a call up. */
export const MAX_WAIT_MS = 25_000;
export const WaitMs = z
  .number()
  .int()
  .min(0)
  .max(MAX_WAIT_MS)
  .describe('How long to wait at most, in milliseconds; at most 25000. Then call again to go on waiting.');

/** What is done with each value, or batch of values; true ends the wait. */
export type Take<Value> = (values: readonly Value[]) => boolean | Promise<boolean>;

/**
 * Follows a subscription until `take` has enough, for at most `waitMs`. It also ends, without an error, when the caller's connection
 * closes and when the core drains. Throws what the subscription is refused with, and what ends the token.
 */
export async function follow<Name extends ProcedureName>(
  call: Call,
  name: Name,
  { input, waitMs, take }: { input: ApiInput<Name>; waitMs: number; take: Take<ApiOutput<Name>> },
): Promise<void> {
  const end = new AbortController();
  const stop = (): void => end.abort();
  const cancel = call.core.clock.schedule(waitMs, stop);
  call.signal.addEventListener('abort', stop);
  if (call.signal.aborted) stop();
  const batches = openStream(servedProcedure(name), { ...call, signal: end.signal }, input);
  try {
    for await (const batch of batches) {
      for (const item of batch) item.sent?.();
      if (await take(batch.map(({ event }) => event as ApiOutput<Name>))) return;
    }
  } finally {
    cancel();
    call.signal.removeEventListener('abort', stop);
  }
}
