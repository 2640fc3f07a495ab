// Events over plain HTTP: publish, read, subscribe.
import {
  BusPublishInput,
  invalidInput,
  LIMITS,
  Position,
  PublishInput,
  PublishManyResult,
  PublishResult,
  ReadInput,
  ReadResult,
  SubscribeInput,
  SubscriptionEvent,
} from '@hypercode/contracts';
import type { Principal } from '@hypercode/registry';
import { z } from 'zod';
import { busCallerOf } from '../bus-caller.ts';
import type { Core } from '../context.ts';
import { subscribeStream } from '../streams/bus-streams.ts';
import { ATTRIBUTES, CloudEvent } from './cloud-event.ts';
import { CLOUD_EVENT_MEDIA_TYPE, CLOUD_EVENTS_MEDIA_TYPE } from './cloud-event-message.ts';
import { JSON_MEDIA_TYPE } from './json-body.ts';
import {
  decodeParameters,
  integerParameter,
  listParameter,
  namespaceParameter,
  type Parameter,
  required,
  textParameter,
} from './parameters.ts';
import { type PostedEvents, postedEvents } from './posted-events.ts';
import { contextOf, mergeInput, procedureRoute, type Route } from './route.ts';
import { streamRoute } from './stream-route.ts';

const tag = 'events';
const namespace = { namespace: namespaceParameter };
const topics = required(
  listParameter(SubscribeInput.shape.topics, 'Patterns of topics: `topics=a.*`, repeated for more.'),
);
const from: Parameter = {
  schema: z.string().max(LIMITS.cursorLength).default('latest'),
  description: 'Where to begin: `latest`, `earliest`, or the position behind which to go on. `Last-Event-ID` beats it.',
  decode: (given) =>
    typeof given !== 'string' || given === 'latest' || given === 'earliest' ? given : { after: given },
};
const Namespaced = BusPublishInput.pick({ namespace: true });

/** Past tRPC, like the heartbeat: small events in great numbers come this way. */
const publish: Route = {
  method: 'POST',
  path: '/v1/events',
  operationId: 'publishEvents',
  tag,
  summary: 'Publish an event, or many',
  description:
    'An object is one event, and answered by its PublishResult; a list is published in its order, and answered by a result for each ' +
    'event: one that is refused spares the others. Publishing an event again under its `id` is harmless.\n\n' +
    'CloudEvents 1.0 are taken in all three modes: structured, batched, and binary (`ce-` headers beside any media type of ' +
    'JSON or text). `type` is the topic; `id`, unless it is a UUID, becomes UUIDv5(UUIDv5(URL, `source`), `id`); `source` ' +
    'means nothing else. `time`, `subject`, `traceparent`, `correlationid` and `causationid` are kept, other extensions ' +
    'ignored. Text becomes a JSON string; other data that is no JSON is refused.',
  query: namespace,
  headers: Object.fromEntries(
    ATTRIBUTES.map((name) => [
      `ce-${name}`,
      { schema: z.string(), description: `\`${name}\` of a CloudEvent in binary mode.` },
    ]),
  ),
  body: {
    [JSON_MEDIA_TYPE]: z.union([PublishInput, z.array(PublishInput).max(LIMITS.publishManyEvents)]),
    [CLOUD_EVENT_MEDIA_TYPE]: CloudEvent,
    [CLOUD_EVENTS_MEDIA_TYPE]: z.array(CloudEvent).max(LIMITS.publishManyEvents),
    '*/*': z.unknown(),
  },
  // A CloudEvent in binary mode may have no data.
  bodyOptional: true,
  answers: {
    200: {
      description: 'The event is in the log; of many, what became of each.',
      schema: z.union([PublishResult, PublishManyResult]),
    },
  },
  refusals: ['ACL_DENIED', 'CIRCUIT_OPEN', 'PAYLOAD_TOO_LARGE', 'RATE_LIMITED'],
  maxBodyBytes: LIMITS.publishManyBytes,
  anyMediaType: true,
  serve: async (core, request, reply) => {
    const { principal } = await contextOf(core, request).identify();
    const fromUrl = decodeParameters(namespace, request.query);
    const posted = postedEvents(request);
    const result =
      'one' in posted
        ? await publishOne(core, principal, mergeInput(posted.one, fromUrl))
        : await publishMany(core, principal, { many: posted.many, fromUrl });
    return reply.send(result);
  },
};

function publishOne(core: Core, principal: Principal, given: unknown): Promise<PublishResult> {
  const { namespace: home, ...event } = parsed(BusPublishInput, given);
  return core.bus.publish(busCallerOf(principal, home), home, event);
}

async function publishMany(
  core: Core,
  principal: Principal,
  { many, fromUrl }: Extract<PostedEvents, { many: unknown }> & { fromUrl: Record<string, unknown> },
): Promise<PublishManyResult> {
  const { namespace: home } = parsed(Namespaced, fromUrl);
  const events = many.flatMap((one) => ('event' in one ? [one.event] : []));
  const published = await core.bus.publishMany(busCallerOf(principal, home), home, events);
  const answers = [...published.results];
  const results = many.flatMap((one) => ('refusal' in one ? [one.refusal] : answers.splice(0, 1)));
  for (const one of results) if ('error' in one) core.metrics.refused(one.error.code);
  return { results };
}

function parsed<S extends z.ZodType>(schema: S, given: unknown): z.output<S> {
  const { success, data, error } = schema.safeParse(given);
  if (!success) throw invalidInput(error);
  return data;
}

const read = procedureRoute({
  method: 'GET',
  path: '/v1/events',
  operationId: 'readEvents',
  tag,
  summary: 'Read events, oldest first',
  query: {
    ...namespace,
    topics,
    after: textParameter(
      Position,
      '`next` of the page before, or the position of an event. Default: the oldest that is kept.',
    ),
    limit: integerParameter(ReadInput.shape.limit, 'Most events on a page, which also ends at about 4 MiB of them.'),
  },
  answers: {
    200: { description: 'A page of events; the end is reached when `next` does not move.', schema: ReadResult },
  },
  refusals: ['ACL_DENIED', 'COMPACTED'],
  call: (caller, input) => caller.bus.read(input),
});

const subscribe = streamRoute({
  kind: subscribeStream,
  path: '/v1/events/stream',
  operationId: 'subscribeEvents',
  tag,
  summary: 'Follow topics live',
  description:
    "Server-sent events. `event:` is the SubscriptionEvent's `type`, `data:` the SubscriptionEvent, `id:` the position that " +
    '`Last-Event-ID` resumes behind. The first is a bookmark at the position of attachment. A refusal before it is an ordinary ' +
    'answer; later it is an event `error` with a SwarmError, and the stream ends.',
  query: { ...namespace, topics, from },
  value: SubscriptionEvent,
  refusals: ['ACL_DENIED'],
});

export const eventRoutes: readonly Route[] = [publish, read, subscribe];
