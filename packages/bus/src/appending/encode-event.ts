// From what a publisher gives to what the log keeps: the event's JSON, made once, and sent out as it is from then on.
import { LIMITS, type PublishInput, SwarmError } from '@hypercode/contracts';
import { v7 as uuidv7 } from 'uuid';
import type { NewEvent } from '../store/event-log.ts';

/** `id`, `time`, and the names of the core's fields. */
const ADDED_BYTES = '"id":"","namespace":"","source":"","time":"",'.length + 36 + 24;

export interface Origin {
  readonly namespace: string;
  readonly source: string;
  /** ISO 8601; stands in for a time that the publisher has not given. */
  readonly now: string;
}

/** PAYLOAD_TOO_LARGE when the event is larger than an event may be. */
export function encodeEvent(input: PublishInput, { namespace, source, now }: Origin): NewEvent {
  const { topic, data, subject, correlationId, causationId, traceparent, extensions } = input;
  const id = input.id === undefined ? uuidv7() : input.id.toLowerCase();
  // What is undefined is left out by JSON.
  const event = {
    id,
    namespace,
    source,
    topic,
    time: input.time ?? now,
    subject,
    correlationId,
    causationId,
    traceparent,
    extensions,
    data,
  };
  const text = JSON.stringify(event);
  // What the core itself adds does not count.
  const maxBytes = LIMITS.eventBytes + ADDED_BYTES + namespace.length + source.length;
  // No character of a string takes more than three bytes of UTF-8.
  if (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes) {
    throw new SwarmError('PAYLOAD_TOO_LARGE', `an event must have at most ${LIMITS.eventBytes} bytes of JSON`, {
      details: { limit: LIMITS.eventBytes },
    });
  }
  return { id, source, topic, text };
}
