// The refusal for anything that a store threw: its own, or what a database error means for the caller.
import { SwarmError } from '@hypercode/contracts';
import { classify } from './failure.ts';

/** The store did not answer; whether it did what was asked is unknown. */
export const unavailable = (message: string, cause?: unknown): SwarmError<'UNAVAILABLE'> =>
  new SwarmError('UNAVAILABLE', message, { cause });

/** A SwarmError as it is; a database that does not answer as UNAVAILABLE; the rest as `SwarmError.from` has it. */
export function refusalOf(thrown: unknown): SwarmError {
  if (!(thrown instanceof SwarmError) && classify(thrown) === 'unavailable') {
    return unavailable('the database does not answer; it is unknown whether the call took effect', thrown);
  }
  return SwarmError.from(thrown);
}
