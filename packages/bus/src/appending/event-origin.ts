// Where an event comes from, out of its text.
import type { SwarmEvent } from '@hypercode/contracts';

export interface EventOrigin {
  readonly source: string;
  readonly topic: string;
}

/** How `encodeEvent` begins every event. Neither names, nor sources, nor topics have characters that JSON escapes. */
const BEGINNING = /^\{"id":"[^"]*","namespace":"[^"]*","source":"([^"\\]*)","topic":"([^"\\]*)"/;

export function originOf(text: string): EventOrigin {
  const [, source, topic] = BEGINNING.exec(text) ?? [];
  if (source !== undefined && topic !== undefined) return { source, topic };
  return JSON.parse(text) as SwarmEvent;
}
