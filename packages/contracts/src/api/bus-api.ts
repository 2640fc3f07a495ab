// The procedures of the bus.
import { z } from 'zod';
import {
  AckInput,
  BusPublishInput,
  ClaimInput,
  ClaimResult,
  ConsumeInput,
  CountResult,
  DeadLetterChoice,
  DeadLettersInput,
  DeadLettersResult,
  ExtendInput,
  ExtendResult,
  FindInput,
  FindResult,
  GroupEvent,
  GroupsInput,
  GroupsResult,
  NackInput,
  PublishManyInput,
  PublishManyResult,
  PublishResult,
  ReadInput,
  ReadResult,
  SettleResult,
  SubscribeInput,
  SubscriptionEvent,
  TopicsInput,
  TopicsResult,
} from '../bus.ts';
import { PublishInput } from '../event.ts';
import { EventTrace, PreviewInput, PreviewResult, TraceInput } from '../event-trace.ts';
import { LIMITS } from '../limits.ts';
import { mutation, query, subscription } from './procedure.ts';
import { READ, READ_AS_SELF, TAKE_PART } from './rights.ts';

/** Inputs as bodies; namespace and group are in the URL. */
const ClaimBody = ClaimInput.omit({ namespace: true, group: true }).meta({ id: 'ClaimBody' });
const AckBody = AckInput.omit({ namespace: true, group: true }).meta({ id: 'AckBody' });
const ExtendBody = ExtendInput.omit({ namespace: true, group: true }).meta({ id: 'ExtendBody' });
const NackBody = NackInput.omit({ namespace: true, group: true }).meta({ id: 'NackBody' });
const { deliveryIds, all } = DeadLetterChoice.shape;
const DeadLetterBody = z.object({ deliveryIds, all }).meta({ id: 'DeadLetterBody' });

/** Inputs as bodies, for what is too long for a URL; the namespace is in the URL, and so is the cursor of a stream. */
const ReadBody = ReadInput.omit({ namespace: true }).meta({ id: 'ReadBody' });
const SubscribeBody = SubscribeInput.omit({ namespace: true, lastEventId: true }).meta({ id: 'SubscribeBody' });

export const busApi = {
  publish: mutation({
    input: BusPublishInput,
    output: PublishResult,
    summary: 'Publish an event',
    description:
      'Publishing an event again with the same `id` adds nothing to the log. With `mandatory: true`, the event is refused with ' +
      'UNROUTABLE, and not stored, when no group and no live stream of another agent takes it.',
    rights: TAKE_PART,
    audited: false,
    errors: ['ACL_DENIED', 'CIRCUIT_OPEN', 'RATE_LIMITED', 'UNROUTABLE'],
    maxInputBytes: LIMITS.eventBytes,
    hot: true,
    rest: {
      method: 'POST',
      path: '/v1/events',
      operationId: 'publishEvents',
      tag: 'events',
      summary: 'Publish one event or a list of events',
      description:
        'An object is one event, and the answer is its PublishResult. A list is published in order, and the answer has one result for ' +
        'each event; a refused event does not affect the others, except that `RATE_LIMITED` refuses the rest of the list, ' +
        'too. Publishing an event again with the same `id` adds nothing to the log. With `mandatory: true`, an event that no group ' +
        'and no live stream takes is refused with UNROUTABLE.\n\n' +
        'CloudEvents 1.0 are accepted in all three modes: structured, batched and binary (`ce-` headers with any media type of JSON or ' +
        'text). `type` is the topic. The id of the event is UUIDv5(UUIDv5(URL, `source`), `id`), and its source is that of the token. ' +
        'What came in is kept in the extensions `originsource` and `originid`, with all other extension attributes. Text becomes a ' +
        'JSON string; bytes that are neither JSON nor text are refused. `mandatory` is no attribute of a CloudEvent.',
      body: PublishInput,
      // A CloudEvent in binary mode may have no data.
      bodyOptional: true,
      answers: { 200: 'The event is in the log. For a list: the result of each event.' },
    },
  }),

  /** Its REST form is that of `publish`, with a list as the body. */
  publishMany: mutation({
    input: PublishManyInput,
    output: PublishManyResult,
    maxAnswerBytes: LIMITS.publishManyAnswerBytes,
    summary: 'Publish a list of events, in order',
    description:
      'The answer has one result for each event. A refused event does not affect the others, except that `RATE_LIMITED` also ' +
      'refuses the rest of the list: what was published is then the beginning of the list, in its order.',
    rights: TAKE_PART,
    audited: false,
    errors: ['RATE_LIMITED'],
    maxInputBytes: LIMITS.publishManyBytes,
    hot: true,
  }),

  read: query({
    input: ReadInput,
    output: ReadResult,
    maxAnswerBytes: LIMITS.pageBytes,
    summary: 'Read events, in either order',
    description:
      'Reads without following: by topics, time of appending, source, correlation and causation. One call searches a bounded part of ' +
      'the log: it goes on with `after: next`, or with `before: next` in the order `newest`, until `end` is true. COMPACTED when ' +
      'events after `after` were removed, or a position is from a log that was lost.',
    rights: READ,
    errors: ['ACL_DENIED', 'COMPACTED'],
    rest: {
      method: 'GET',
      path: '/v1/events',
      operationId: 'readEvents',
      tag: 'events',
      byPost: { path: '/v1/events/query', operationId: 'readEventsByPost', body: ReadBody },
      answers: {
        200: 'A page of events. `end` is true when it reaches the end of the log, or its beginning in the order `newest`.',
      },
    },
  }),

  find: query({
    input: FindInput,
    output: FindResult,
    maxAnswerBytes: LIMITS.pageBytes,
    summary: 'Find an event by its id',
    description:
      'Answers with the newest first, at most 100 events and about 4 MiB, without those that the caller may not read. Events that are ' +
      'not in the index of ids (`SWARM_EVENT_INDEX`) are searched from the newest on, at most 20,000 of them. `complete` is false when older ones ' +
      'were not searched. NOT_FOUND when no such event is kept, with `details.complete`.',
    rights: READ,
    errors: ['NOT_FOUND'],
    rest: {
      method: 'GET',
      path: '/v1/events/{id}',
      operationId: 'findEvent',
      tag: 'events',
      answers: { 200: 'The events with this id.' },
    },
  }),

  trace: query({
    input: TraceInput,
    output: EventTrace,
    maxAnswerBytes: LIMITS.traceBytes,
    summary: 'Trace an event',
    description:
      'What became of one event: the rule that admitted it, its state in each group, the streams that are open now, what led to it and ' +
      'what it led to. Takes nothing from any group. What the caller may not read is left out and counted.',
    rights: READ,
    errors: ['NOT_FOUND'],
    rest: {
      method: 'GET',
      path: '/v1/events/{id}/trace',
      operationId: 'traceEvent',
      tag: 'events',
      answers: { 200: 'The trace.' },
    },
  }),

  preview: query({
    input: PreviewInput,
    output: PreviewResult,
    maxAnswerBytes: LIMITS.previewBytes,
    summary: 'Ask who would receive an event on a topic',
    description: 'Publishes nothing. An agent asks for itself.',
    rights: READ_AS_SELF,
    errors: ['NOT_FOUND'],
    rest: {
      method: 'GET',
      path: '/v1/events/preview',
      operationId: 'previewEvent',
      tag: 'events',
      answers: { 200: 'Whether the event would be accepted, and who would receive it.' },
    },
  }),

  subscribe: subscription({
    input: SubscribeInput,
    output: SubscriptionEvent,
    summary: 'Follow topics live',
    rights: READ,
    errors: ['ACL_DENIED'],
    rest: {
      method: 'GET',
      path: '/v1/events/stream',
      operationId: 'subscribeEvents',
      tag: 'events',
      description:
        'Server-sent events. `event:` is the `type` of the SubscriptionEvent, `data:` is the SubscriptionEvent, and `id:` is the ' +
        'position after which `Last-Event-ID` resumes the stream. The first event is a bookmark at the position where the stream ' +
        'starts. An error before it is an ordinary error answer. A later error is an event `error` with a SwarmError, after which ' +
        'the stream ends.',
      byPost: { path: '/v1/events/stream', operationId: 'subscribeEventsByPost', body: SubscribeBody },
      answers: { 200: 'The stream.' },
    },
  }),

  consume: subscription({
    input: ConsumeInput,
    output: GroupEvent,
    summary: 'Receive the deliveries of a consumer group live',
    description:
      'The first call creates the group and needs `topics`; a later one may leave out the settings. Acknowledge each delivery or give ' +
      'it back before its deadline. The first value is `joined`; a `bookmark` with the cursor of the group comes every 15 s, and at ' +
      'once when the group is paused or resumed. A second stream of the same `consumer` ends the first with CONFLICT. A stream ends ' +
      'with NOT_FOUND (`details.deleted`) when the group is deleted; a stream with the `groupId` of that group does not make it again.',
    rights: TAKE_PART,
    errors: ['ACL_DENIED', 'CONFLICT', 'NOT_FOUND'],
  }),

  claim: mutation({
    input: ClaimInput,
    output: ClaimResult,
    maxAnswerBytes: 0,
    waits: true,
    summary: 'Claim events for processing',
    description:
      'Answers at once if events are available. Otherwise it answers when the first event arrives or `waitMs` has passed. The ' +
      'first call creates the group and needs `topics`; a later one may leave out the settings. A call with `topics`, ' +
      '`ackDeadlineMs` or `maxDeliveries` that are neither those in force nor those that the group was made with is refused with ' +
      'CONFLICT, with the settings of the group and of the call in `details` (`existing`, `requested`). Answers at once with ' +
      '`paused: true` while the group is paused, and with NOT_FOUND (`details.deleted`) when the group of the `groupId` was deleted. ' +
      'Acknowledge each delivery or give it back (ack or nack) before its deadline.',
    rights: TAKE_PART,
    audited: false,
    errors: ['ACL_DENIED', 'CONFLICT', 'NOT_FOUND'],
    rest: {
      method: 'POST',
      path: '/v1/groups/{group}/claim',
      operationId: 'claimDeliveries',
      tag: 'groups',
      body: ClaimBody,
      answers: { 200: 'The deliveries. None if no event came within `waitMs`.' },
    },
  }),

  ack: mutation({
    input: AckInput,
    output: SettleResult,
    summary: 'Acknowledge deliveries',
    description: 'An ack that comes after the deadline also settles the delivery.',
    rights: TAKE_PART,
    audited: false,
    errors: ['ACL_DENIED', 'NOT_FOUND'],
    hot: true,
    rest: {
      method: 'POST',
      path: '/v1/groups/{group}/ack',
      operationId: 'ackDeliveries',
      tag: 'groups',
      body: AckBody,
      answers: { 200: 'The number of deliveries that were open.' },
    },
  }),

  nack: mutation({
    input: NackInput,
    output: SettleResult,
    summary: 'Give back deliveries',
    description:
      'The events are delivered again, or become dead letters after the last attempt. A nack that comes after the deadline has no effect.',
    rights: TAKE_PART,
    audited: false,
    errors: ['ACL_DENIED', 'NOT_FOUND'],
    hot: true,
    rest: {
      method: 'POST',
      path: '/v1/groups/{group}/nack',
      operationId: 'nackDeliveries',
      tag: 'groups',
      body: NackBody,
      answers: { 200: 'The number of deliveries that were open.' },
    },
  }),

  extend: mutation({
    input: ExtendInput,
    output: ExtendResult,
    summary: 'Extend deadlines',
    description:
      'For work that takes longer: each deadline becomes now + `byMs`, unless it is later already. A delivery whose deadline has passed is not extended.',
    rights: TAKE_PART,
    audited: false,
    errors: ['ACL_DENIED', 'NOT_FOUND'],
    hot: true,
    rest: {
      method: 'POST',
      path: '/v1/groups/{group}/extend',
      operationId: 'extendDeliveries',
      tag: 'groups',
      body: ExtendBody,
      answers: { 200: 'How many deliveries are in flight, and the first of their deadlines.' },
    },
  }),

  groups: query({
    input: GroupsInput,
    output: GroupsResult,
    maxAnswerBytes: LIMITS.pageBytes,
    summary: 'List consumer groups',
    description: 'An agent gets the groups that it may consume.',
    rights: READ,
    errors: [],
    rest: {
      method: 'GET',
      path: '/v1/groups',
      operationId: 'listGroups',
      tag: 'groups',
      answers: { 200: 'The groups, with the number of events that are waiting, in flight and dead.' },
    },
  }),

  deadLetters: query({
    input: DeadLettersInput,
    output: DeadLettersResult,
    maxAnswerBytes: LIMITS.pageBytes,
    summary: 'List the dead letters of a group, oldest first',
    rights: READ,
    errors: ['ACL_DENIED', 'NOT_FOUND'],
    rest: {
      method: 'GET',
      path: '/v1/groups/{group}/dead-letters',
      operationId: 'listDeadLetters',
      tag: 'groups',
      answers: { 200: 'A page of dead letters.' },
    },
  }),

  redrive: mutation({
    input: DeadLetterChoice,
    output: CountResult,
    summary: 'Deliver dead letters again',
    description: 'The body has either `deliveryIds` or `all: true`.',
    rights: TAKE_PART,
    audited: true,
    errors: ['ACL_DENIED', 'NOT_FOUND'],
    rest: {
      method: 'POST',
      path: '/v1/groups/{group}/dead-letters/redrive',
      operationId: 'redriveDeadLetters',
      tag: 'groups',
      body: DeadLetterBody,
      answers: { 200: 'The number of dead letters.' },
    },
  }),

  discard: mutation({
    input: DeadLetterChoice,
    output: CountResult,
    summary: 'Discard dead letters',
    description: 'The body has either `deliveryIds` or `all: true`.',
    rights: TAKE_PART,
    audited: true,
    errors: ['ACL_DENIED', 'NOT_FOUND'],
    rest: {
      method: 'POST',
      path: '/v1/groups/{group}/dead-letters/discard',
      operationId: 'discardDeadLetters',
      tag: 'groups',
      body: DeadLetterBody,
      answers: { 200: 'The number of dead letters.' },
    },
  }),

  topics: query({
    input: TopicsInput,
    output: TopicsResult,
    maxAnswerBytes: LIMITS.pageBytes,
    summary: 'List the topics in use',
    rights: READ,
    errors: [],
    rest: {
      method: 'GET',
      path: '/v1/topics',
      operationId: 'listTopics',
      tag: 'groups',
      answers: { 200: 'A page of topics.' },
    },
  }),
};
