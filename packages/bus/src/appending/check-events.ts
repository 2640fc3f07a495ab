// What a publisher gives, checked one by one, so that a bad event is refused alone.
import { invalidInput, isBareEvent, LIMITS, PublishInput, type SwarmError } from '@hypercode/contracts';

/** Stands in a list for an event that was refused before the list came here, and is refused in its place. */
export class RefusedEvent {
  /** As its publisher gave it; null when it has none that can be read. */
  readonly id: string | null;
  readonly refusal: SwarmError;

  constructor(given: unknown, refusal: SwarmError) {
    this.id = givenId(given);
    this.refusal = refusal;
  }
}

/** The event, or why it is none. */
export function checkEvent(given: unknown): PublishInput | SwarmError {
  if (isBareEvent(given)) return given;
  if (given instanceof RefusedEvent) return given.refusal;
  const parsed = PublishInput.safeParse(given);
  return parsed.success ? parsed.data : invalidInput(parsed.error);
}

/** The id of an event as its publisher gave it; null when it has none that can be read. */
export function givenId(given: unknown): string | null {
  const id = typeof given === 'object' && given !== null && 'id' in given ? given.id : undefined;
  return typeof id === 'string' && id.length <= LIMITS.cursorLength && id.isWellFormed() ? id : null;
}
