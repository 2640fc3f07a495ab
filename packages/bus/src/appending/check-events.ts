// What a publisher gives, checked one by one, so that a bad event is refused alone.
import { invalidInput, isBareEvent, LIMITS, PublishInput, type SwarmError } from '@hypercode/contracts';

/** The event, or why it is none: INVALID_INPUT. */
export function checkEvent(given: unknown): PublishInput | SwarmError<'INVALID_INPUT'> {
  if (isBareEvent(given)) return given;
  const parsed = PublishInput.safeParse(given);
  return parsed.success ? parsed.data : invalidInput(parsed.error);
}

/** The id of an event as its publisher gave it; null when it has none that can be read. */
export function givenId(given: unknown): string | null {
  const id = typeof given === 'object' && given !== null && 'id' in given ? given.id : undefined;
  return typeof id === 'string' && id.length <= LIMITS.cursorLength && id.isWellFormed() ? id : null;
}
