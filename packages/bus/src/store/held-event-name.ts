// How a text that a group holds is told apart by the event's id, without parsing each.
import type { HeldEvent } from './group-fates.ts';

/** Every text of an event with the id begins with this: the core writes the id first. */
export const textPrefixOf = (id: string): string => `{"id":${JSON.stringify(id.toLowerCase())}`;

/** Whether the text, which begins with an id, is of an event of this source; of any where none is named. */
export function isOfSource({ text }: HeldEvent, source: string | undefined): boolean {
  return source === undefined || (JSON.parse(text) as { source?: unknown }).source === source;
}
