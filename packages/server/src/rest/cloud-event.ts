// CloudEvents 1.0 as events of the bus (https://github.com/cloudevents/spec/tree/v1.0.2, spec and JSON format).
import {
  Extensions,
  invalidField,
  invalidInput,
  type Json,
  jsonFault,
  LIMITS,
  PublishInput,
  readTraceparent,
  type SwarmEvent,
  Topic,
} from '@hypercode/contracts';
import { v5 as uuidv5 } from 'uuid';
import { z } from 'zod';
import { readJson, textOf } from '../intake/json-text.ts';
import { JSON_MEDIA_TYPE, mediaTypeOf } from './json-body.ts';

const ofEvent = PublishInput.shape;
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

/** A CloudEvent in the JSON format, where null is the same as absent. All other attributes are its extensions. */
export const CloudEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: Identifier,
    /** Together with `id` the name of the event. The core sets the source that the event has on the bus. */
    source: Identifier,
    /** The topic. */
    type: Topic,
    subject: ofEvent.subject.nullable(),
    time: Time.nullish(),
    /** W3C Trace Context. One that cannot be read begins a new trace, and is left out. */
    traceparent: z.string().nullish(),
    correlationid: ofEvent.correlationId.nullable(),
    causationid: ofEvent.causationId.nullable(),
    /** JSON is the default. */
    datacontenttype: z.string().nullish(),
    data: ofEvent.data.optional(),
    data_base64: z.base64().nullish(),
  })
  .meta({ id: 'CloudEvent' });
export type CloudEvent = z.infer<typeof CloudEvent>;

/** The attributes, by their names; the data is not one of them. */
export const ATTRIBUTES = CloudEvent.omit({ datacontenttype: true, data: true, data_base64: true }).keyof().options;

/** An event in the JSON format. INVALID_INPUT names the attribute. */
export function eventOfJson(given: unknown): PublishInput {
  const { event, extensions } = checked(given);
  return { ...contextOf(event, { extensions, contentType: event.datacontenttype }), data: dataOf(event) };
}

/** An event whose attributes came apart from its data, as in the binary mode of HTTP; null: it has no data. */
export function eventOfParts(attributes: Readonly<Record<string, string>>, payload: Payload | null): PublishInput {
  const { event, extensions } = checked(attributes);
  return {
    ...contextOf(event, { extensions, contentType: payload?.contentType }),
    data: payload === null ? null : dataOfBytes(payload),
  };
}

/** Data as bytes of a media type. */
export interface Payload {
  bytes: Buffer;
  contentType: string;
}

function checked(given: unknown): { event: CloudEvent; extensions: Extensions } {
  const event = CloudEvent.safeParse(given);
  if (!event.success) throw invalidInput(event.error);
  const others = Object.entries(given as object).filter(
    ([name, value]) => !Object.hasOwn(CloudEvent.shape, name) && name !== POSITION && value !== null,
  );
  const extensions = Extensions.safeParse(Object.fromEntries(others));
  if (!extensions.success) throw invalidInput(extensions.error);
  return { event: event.data, extensions: extensions.data };
}

/** The attribute in which the core writes the position of an event; in an event that comes in, it is of another log. */
const POSITION = 'swarmposition';

interface Beside {
  readonly extensions: Extensions;
  /** Media type of the data, if one was given. */
  readonly contentType: string | null | undefined;
}

function contextOf(event: CloudEvent, { extensions, contentType }: Beside): Omit<PublishInput, 'data'> {
  return {
    extensions: {
      ...extensions,
      // JSON needs no name: the data of every event is JSON.
      ...(typeof contentType === 'string' && !isJson(contentType) ? { datacontenttype: contentType } : {}),
      originsource: event.source,
      originid: event.id,
    },
    id: idOf(event),
    topic: event.type,
    time: event.time ?? undefined,
    subject: event.subject ?? undefined,
    correlationId: event.correlationid ?? undefined,
    causationId: event.causationid ?? undefined,
    traceparent: readTraceparent(event.traceparent ?? ''),
  };
}

/**
 * A CloudEvent is named by its source and its id together, an event of ours by a UUID. So each source is a namespace of UUIDs, also
 * for ids that are UUIDs: two sources may use the same id, and sending an event again gives the same UUID.
 */
const idOf = ({ source, id }: CloudEvent): string => uuidv5(id, uuidv5(source, uuidv5.URL));

/** An event of the bus as a CloudEvent in the JSON format: `source` and `id` are the core's, whatever its extensions claim. */
export function cloudEventOf(event: SwarmEvent, position: string): Record<string, unknown> {
  const { id, source, topic, time, subject, correlationId, causationId, traceparent, extensions, data } = event;
  return {
    datacontenttype: JSON_MEDIA_TYPE,
    ...extensions,
    specversion: '1.0',
    id,
    source,
    type: topic,
    time,
    subject,
    correlationid: correlationId,
    causationid: causationId,
    traceparent,
    [POSITION]: position,
    data,
  };
}

function dataOf(event: CloudEvent): Json {
  const contentType = event.datacontenttype ?? JSON_MEDIA_TYPE;
  if (typeof event.data_base64 === 'string') {
    if (event.data !== undefined) throw invalidField('data_base64', 'must not be given together with data');
    return dataOfBytes({ bytes: Buffer.from(event.data_base64, 'base64'), contentType });
  }
  if (event.data === undefined) return null;
  if (isJson(contentType)) return event.data;
  // JSON format, section 3.1.1.
  if (typeof event.data !== 'string')
    throw invalidField('data', `must be a string, because ${contentType} is not JSON`);
  return event.data;
}

/** No bytes are no data. */
function dataOfBytes({ bytes, contentType }: Payload): Json {
  if (bytes.length === 0) return null;
  const isJsonData = isJson(contentType);
  if (!isJsonData && !isText(contentType)) throw notRepresentable(contentType);
  const text = textOf(bytes, { path: 'data', contentType });
  const value = isJsonData ? readJson(text, 'data') : text;
  const fault = jsonFault(value);
  if (fault !== null) throw invalidField(['data', ...fault.path].join('.'), fault.reason);
  return value as Json;
}

/** JSON format, section 3.1.1. */
const isJson = (contentType: string): boolean => /^[^/]+\/(?:json|.+\+json)$/.test(mediaTypeOf(contentType));
const isText = (contentType: string): boolean =>
  /^text\/|^application\/(?:xml|yaml|x-yaml|x-www-form-urlencoded)$|\+(?:xml|yaml)$/.test(mediaTypeOf(contentType));

const notRepresentable = (contentType: string) =>
  invalidField(
    'datacontenttype',
    `data of an event must be JSON or text, and "${contentType.slice(0, 100)}" is neither: send it as a JSON string`,
  );
