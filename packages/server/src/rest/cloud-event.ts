// CloudEvents 1.0 as events of the bus (https://github.com/cloudevents/spec/tree/v1.0.2, spec and JSON format).
import { invalidField, invalidInput, type Json, jsonFault, LIMITS, PublishInput, Topic } from '@hypercode/contracts';
import { v5 as uuidv5 } from 'uuid';
import { z } from 'zod';
import { JSON_MEDIA_TYPE, jsonOf, mediaTypeOf } from './json-body.ts';

const { subject, correlationId, causationId, traceparent, data } = PublishInput.shape;
const Identifier = z
  .string()
  .min(1)
  .max(LIMITS.eventBytes)
  .refine((text) => text.isWellFormed(), 'must not contain lone surrogates');

/** RFC 3339, section 5.6, lets `t` and `z` be in lower case; events have them as ISO 8601 does. */
const Time = z
  .string()
  .toUpperCase()
  .check(z.iso.datetime({ offset: true }));

/** What we read of a CloudEvent in the JSON format, where null is the same as absent; other attributes are ignored. */
export const CloudEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: Identifier,
    /** Only makes the id unique: who really published an event is the core's to say. */
    source: Identifier,
    /** The topic. */
    type: Topic,
    subject: subject.nullable(),
    time: Time.nullish(),
    traceparent: traceparent.nullable(),
    correlationid: correlationId.nullable(),
    causationid: causationId.nullable(),
    /** JSON (the default) or text. */
    datacontenttype: z.string().nullish(),
    data: data.optional(),
    data_base64: z.base64().nullish(),
  })
  .meta({ id: 'CloudEvent' });
export type CloudEvent = z.infer<typeof CloudEvent>;

/** The attributes, by their names; the data is not one of them. */
export const ATTRIBUTES = CloudEvent.omit({ datacontenttype: true, data: true, data_base64: true }).keyof().options;

/** An event in the JSON format. INVALID_INPUT names the attribute. */
export function eventOfJson(given: unknown): PublishInput {
  const event = checked(given);
  return { ...contextOf(event), data: dataOf(event) };
}

/** An event whose attributes came apart from its data, as in the binary mode of HTTP; null: it has no data. */
export function eventOfParts(attributes: Readonly<Record<string, string>>, payload: Payload | null): PublishInput {
  return { ...contextOf(checked(attributes)), data: payload === null ? null : dataOfBytes(payload) };
}

/** Data as bytes of a media type. */
export interface Payload {
  bytes: Buffer;
  contentType: string;
}

function checked(given: unknown): CloudEvent {
  const event = CloudEvent.safeParse(given);
  if (!event.success) throw invalidInput(event.error);
  return event.data;
}

function contextOf(event: CloudEvent): Omit<PublishInput, 'data'> {
  return {
    id: idOf(event),
    topic: event.type,
    time: event.time ?? undefined,
    subject: event.subject ?? undefined,
    correlationId: event.correlationid ?? undefined,
    causationId: event.causationid ?? undefined,
    traceparent: event.traceparent ?? undefined,
  };
}

/**
 * A CloudEvent is named by its source and its id together, an event of ours by a UUID. An id that is none becomes
 * UUIDv5(UUIDv5(URL, source), id): each source has a namespace of its own, and sending an event again gives the same UUID.
 */
function idOf({ source, id }: CloudEvent): string {
  return z.uuid().safeParse(id).success ? id : uuidv5(id, uuidv5(source, uuidv5.URL));
}

function dataOf(event: CloudEvent): Json {
  const contentType = event.datacontenttype ?? JSON_MEDIA_TYPE;
  if (typeof event.data_base64 === 'string') {
    if (event.data !== undefined) throw invalidField('data_base64', 'must not be given together with data');
    return dataOfBytes({ bytes: Buffer.from(event.data_base64, 'base64'), contentType });
  }
  if (event.data === undefined) return null;
  if (isJson(contentType)) return event.data;
  if (!isText(contentType)) throw notRepresentable(contentType);
  if (typeof event.data !== 'string') throw invalidField('data', `must be a string, because ${contentType} is text`);
  return event.data;
}

/** No bytes are no data. */
function dataOfBytes({ bytes, contentType }: Payload): Json {
  if (bytes.length === 0) return null;
  const value = isJson(contentType) ? jsonOf(bytes, 'data') : textOf(bytes, contentType);
  const fault = jsonFault(value);
  if (fault !== null) throw invalidField('data', fault);
  return value as Json;
}

function textOf(bytes: Buffer, contentType: string): string {
  if (!isText(contentType)) throw notRepresentable(contentType);
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    throw invalidField('data', `must be valid ${charset.slice(0, 40)} text`);
  }
}

/** JSON format, section 3.1.1. */
const isJson = (contentType: string): boolean => /^[^/]+\/(?:json|.+\+json)$/.test(mediaTypeOf(contentType));
const isText = (contentType: string): boolean => mediaTypeOf(contentType).startsWith('text/');

const notRepresentable = (contentType: string) =>
  invalidField(
    'datacontenttype',
    `data of an event must be JSON or text, and "${contentType.slice(0, 100)}" is neither: send it as a JSON string`,
  );
