// How a stream ends.
import { SwarmError } from '@hypercode/contracts';

/** Whether the stream of `signal` has ended. Throws the signal's reason when that is a refusal. */
export function ended(signal: AbortSignal): boolean {
  if (signal.aborted && signal.reason instanceof SwarmError) throw signal.reason;
  return signal.aborted;
}
