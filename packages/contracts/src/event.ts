// Events: what agents publish, and what everybody else is handed.
import { z } from 'zod';
import { takesBack } from './known-fields.ts';
import { LIMITS } from './limits.ts';
import { jsonFault } from './json-fault.ts';
import { json, text } from './text.ts';
import { Topic } from './topic.ts';
import { isTopic } from './topic-matching.ts';
import { readTraceparent } from './traceparent.ts';

/** What an event itself says, and the core; no extension may be called so. */
const RESERVED_NAMES = new Set([
  ...['specversion', 'id', 'source', 'type', 'subject', 'time', 'data', 'traceparent', 'correlationid', 'causationid'],
  'swarmposition',
]);

/** Extension attributes of a CloudEvent. They are the publisher's claims: the core checks nothing but their form. */
export const Extensions = z
  .record(
    z
      .string()
      .regex(/^[a-z0-9]{1,64}$/, 'must be 1 to 64 lower-case letters and digits')
      .refine((name) => !RESERVED_NAMES.has(name), 'is the name of an attribute that is not an extension'),
    z.union([text(LIMITS.eventBytes), z.boolean(), z.int()]),
  )
  .refine((given) => Object.keys(given).length <= LIMITS.extensions, `must be at most ${LIMITS.extensions}`);
export type Extensions = z.infer<typeof Extensions>;

/** An event as its publisher gives it. `source` is the core's to say, so none is taken. */
export const PublishInput = z
  .object({
    /** Names the event for good: publishing the same id again within the dedup window is one event. Default: a new UUID. */
    id: z.uuid().optional(),
    topic: Topic,
    /** Any JSON; kept as it came. */
    data: json,
    /** When it happened, as its publisher has it. Default: when the core took it. */
    time: z.iso.datetime({ offset: true }).optional(),
    /** What within the source it is about (CloudEvents 1.0, `subject`). */
    subject: text(LIMITS.subjectLength, 1).optional(),
    /** The conversation that it belongs to. */
    correlationId: text(LIMITS.correlationLength, 1).optional(),
    /** The event that led to it. */
    causationId: text(LIMITS.correlationLength, 1).optional(),
    /** W3C Trace Context. One that cannot be read begins a new trace, and is left out. */
    traceparent: z.string().transform(readTraceparent).optional(),
    /** Of a CloudEvent: what else came with it. */
    extensions: Extensions.optional(),
    /** Whether it is refused with UNROUTABLE when no group and no live stream takes it. Not part of the event. */
    mandatory: z.boolean().optional(),
  })
  .meta({ id: 'PublishInput' });
export type PublishInput = z.infer<typeof PublishInput>;

const UUID = z.regexes.uuid();

/**
 * Whether it is an event of an id, a topic and data alone that `PublishInput` takes, and as it is. Most events are, and this
 * finds it out in half of the time; of the others it says nothing.
 */
export function isBareEvent(given: unknown): given is PublishInput {
  if (typeof given !== 'object' || given === null) return false;
  if (!('id' in given && 'topic' in given && 'data' in given) || Object.keys(given).length !== 3) return false;
  const { id, topic, data } = given;
  return (
    typeof id === 'string' && UUID.test(id) && typeof topic === 'string' && isTopic(topic) && jsonFault(data) === null
  );
}

/** An event as everybody reads it. */
export const SwarmEvent = z
  .object({
    ...PublishInput.omit({ mandatory: true }).shape,
    id: z.uuid(),
    time: z.iso.datetime({ offset: true }),
    traceparent: z.string().optional(),
    namespace: z.string(),
    /** Who published it, as the core knows: `/agents/<namespace>/<name>`, `/operators/<token's name>` or `/core`. */
    source: z.string(),
  })
  .meta({ id: 'SwarmEvent' });
export type SwarmEvent = z.infer<typeof SwarmEvent>;
takesBack(PublishInput, SwarmEvent);

/** Where an event stands in its namespace's log. Opaque: only the core compares positions. */
export const Position = text(LIMITS.cursorLength);
export type Position = z.infer<typeof Position>;

/** The `source` of what an agent publishes. */
export const agentSource = (namespace: string, name: string): string => `/agents/${namespace}/${name}`;
/** The `source` of what an operator publishes; anything but letters, digits and `._~-` is percent-encoded (RFC 3986). */
export const operatorSource = (tokenName: string): string => `/operators/${encodeURIComponent(tokenName)}`;
/** The `source` of the core's own events, and the first token of their topics, which only the core may publish. */
export const CORE_SOURCE = '/core';
export const SYSTEM_TOPIC = 'system';
