// What a POST of events holds: one event or many, as our own JSON or as CloudEvents.
import { invalidField, LIMITS, type PublishRefusal, SwarmError } from '@hypercode/contracts';
import type { FastifyRequest } from 'fastify';
import { eventOfJson, eventOfParts } from './cloud-event.ts';
import { attributesOf, modeOf } from './cloud-event-message.ts';
import { bodyTooLarge, bytesOf } from '../intake/bodies.ts';
import { JSON_MEDIA_TYPE, jsonOf, mediaTypeOf } from './json-body.ts';

/** Nothing of it has been checked but what made a CloudEvent an event. */
export type PostedEvents =
  | { readonly one: unknown }
  /** In the order of the body; what could not be made an event is refused in its place. */
  | { readonly many: readonly ({ readonly event: unknown } | { readonly refusal: PublishRefusal })[] };

/** INVALID_INPUT, PAYLOAD_TOO_LARGE. */
export function postedEvents(request: FastifyRequest): PostedEvents {
  switch (modeOf(request.headers)) {
    case 'structured':
      return { one: eventOfJson(json(request, LIMITS.eventBytes)) };
    case 'batched':
      return { many: list(json(request, LIMITS.publishManyBytes)).map(batched) };
    case 'binary': {
      const bytes = bytesOf(request);
      if (bytes !== null && bytes.length > LIMITS.eventBytes) throw bodyTooLarge(LIMITS.eventBytes);
      const contentType = request.headers['content-type'] ?? JSON_MEDIA_TYPE;
      return { one: eventOfParts(attributesOf(request.headers), bytes === null ? null : { bytes, contentType }) };
    }
    case null: {
      if (mediaTypeOf(request.headers['content-type'] ?? '') !== JSON_MEDIA_TYPE) {
        throw invalidField('', `the body must be ${JSON_MEDIA_TYPE}, or a CloudEvent`);
      }
      if (!beginsAsList(bytesOf(request))) return { one: json(request, LIMITS.eventBytes) };
      return { many: list(json(request, LIMITS.publishManyBytes)).map((event) => ({ event })) };
    }
  }
}

function json(request: FastifyRequest, maxBytes: number): unknown {
  const bytes = bytesOf(request) ?? Buffer.alloc(0);
  if (bytes.length > maxBytes) throw bodyTooLarge(maxBytes);
  return jsonOf(bytes, '');
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw invalidField('', 'must be a list of events');
  if (value.length > LIMITS.publishManyEvents) {
    throw invalidField('', `must have at most ${LIMITS.publishManyEvents} events`);
  }
  return value;
}

/** A refusal is reported with the id of the CloudEvent itself. */
function batched(given: unknown): { event: unknown } | { refusal: PublishRefusal } {
  try {
    return { event: eventOfJson(given) };
  } catch (error) {
    const id = typeof given === 'object' && given !== null && 'id' in given ? given.id : null;
    return { refusal: { id: typeof id === 'string' ? id : null, error: SwarmError.from(error).toJSON() } };
  }
}

/** Whether the first byte that is no white space of JSON opens a list: then more bytes are allowed. */
function beginsAsList(bytes: Buffer | null): boolean {
  const first = bytes?.find((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
  return first === 0x5b;
}
