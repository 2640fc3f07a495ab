// What a POST of events holds: one event or many, as our own JSON or as CloudEvents.
import { RefusedEvent } from '@hypercode/bus';
import { invalidField, LIMITS, SwarmError } from '@hypercode/contracts';
import type { FastifyRequest } from 'fastify';
import { eventOfJson, eventOfParts } from './cloud-event.ts';
import { attributesOf, modeOf } from './cloud-event-message.ts';
import { bodyTooLarge, bytesOf } from '../intake/bodies.ts';
import { readJson, textOf } from '../intake/json-text.ts';
import { JSON_MEDIA_TYPE, mediaTypeOf } from './json-body.ts';

/** Nothing of it has been checked but what made a CloudEvent an event. */
export type PostedEvents =
  | { readonly one: unknown }
  /** In the order of the body; what could not be made an event is a `RefusedEvent` in its place. */
  | { readonly many: readonly unknown[] };

/** INVALID_INPUT, PAYLOAD_TOO_LARGE. */
export function postedEvents(request: FastifyRequest): PostedEvents {
  switch (modeOf(request.headers)) {
    case 'structured':
      return { one: eventOfJson(readJson(text(request, LIMITS.eventBytes))) };
    case 'batched':
      return { many: listOf(request).map(batched) };
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
      return beginsAsList(bytesOf(request))
        ? { many: listOf(request) }
        : { one: readJson(text(request, LIMITS.eventBytes)) };
    }
  }
}

function text(request: FastifyRequest, maxBytes: number): string {
  const bytes = bytesOf(request) ?? Buffer.alloc(0);
  if (bytes.length > maxBytes) throw bodyTooLarge(maxBytes);
  return textOf(bytes, { contentType: request.headers['content-type'] });
}

function listOf(request: FastifyRequest): unknown[] {
  const value = readJson(text(request, LIMITS.publishManyBytes));
  if (!Array.isArray(value)) throw invalidField('', 'must be a list of events');
  if (value.length > LIMITS.publishManyEvents) {
    throw invalidField('', `must have at most ${LIMITS.publishManyEvents} events`);
  }
  return value;
}

/** A refusal is reported with the id of the CloudEvent itself. */
function batched(given: unknown): unknown {
  try {
    return eventOfJson(given);
  } catch (error) {
    return new RefusedEvent(given, SwarmError.from(error));
  }
}

/** Whether the first byte that is neither white space of JSON nor of a byte order mark opens a list: then more bytes are allowed. */
function beginsAsList(bytes: Buffer | null): boolean {
  return bytes?.find((byte) => !SKIPPED_BYTES.has(byte)) === 0x5b;
}

const SKIPPED_BYTES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);
