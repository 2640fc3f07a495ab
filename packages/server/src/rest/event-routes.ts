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
  listParameter(SubscribeInput.shape.topics, 'Topic pattern, such as `topics=a.*`. Repeat the parameter for more.'),
);
const from: Parameter = {
  schema: z.string().max(LIMITS.cursorLength).default('latest'),
  description:
    'Where to start: `latest`, `earliest`, or a position, after which the stream continues. `Last-Event-ID` takes precedence.',
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
  summary: 'Publish one event or a list of events',
  description:
    'An object is one event, and the answer is its PublishResult. A list is published in order, and the answer has one result for ' +
    'each event; a refused event does not affect the others. Publishing an event again with the same `id` adds nothing to the log.\n\n' +
    'CloudEvents 1.0 are accepted in all three modes: structured, batched and binary (`ce-` headers with any media type of JSON or ' +
    'text). `type` is the topic. An `id` that is not a UUID becomes UUIDv5(UUIDv5(URL, `source`), `id`); `source` has no other ' +
    'meaning. `time`, `subject`, `traceparent`, `correlationid` and `causationid` are kept, other extensions are ignored. Text ' +
    'becomes a JSON string; data that is neither JSON nor text is refused.',
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
      description: 'The event is in the log. For a list: the result of each event.',
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
      '`next` of the previous page, or the position of an event. Default: start with the oldest event that is kept.',
    ),
    limit: integerParameter(
      ReadInput.shape.limit,
      'Maximum number of events on a page. A page also ends at about 4 MiB.',
    ),
  },
  answers: {
    200: { description: 'A page of events. The end is reached when `next` stays the same.', schema: ReadResult },
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
    'Server-sent events. `event:` is the `type` of the SubscriptionEvent, `data:` is the SubscriptionEvent, and `id:` is the ' +
    'position after which `Last-Event-ID` resumes the stream. The first event is a bookmark at the position where the stream ' +
    'starts. An error before it is an ordinary error answer. A later error is an event `error` with a SwarmError, after which ' +
    'the stream ends.',
  query: { ...namespace, topics, from },
  value: SubscriptionEvent,
  refusals: ['ACL_DENIED'],
});

export const eventRoutes: readonly Route[] = [publish, read, subscribe];
