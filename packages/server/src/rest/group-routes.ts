// Consumer groups without a stream, and what exists on the bus.
import {
  AckInput,
  ClaimInput,
  ClaimResult,
  CountResult,
  DeadLetterChoice,
  DeadLettersInput,
  DeadLettersResult,
  GroupsResult,
  LIMITS,
  Name,
  NackInput,
  SettleResult,
  TopicsInput,
  TopicsResult,
} from '@hypercode/contracts';
import { z } from 'zod';
import { JSON_MEDIA_TYPE } from './json-body.ts';
import { integerParameter, namespaceParameter, textParameter } from './parameters.ts';
import { procedureRoute, type Route } from './route.ts';

const tag = 'groups';
const query = { namespace: namespaceParameter };
const pathParameters = { group: Name };
const cursor = textParameter(z.string().max(LIMITS.cursorLength), '`nextCursor` of the previous page.');

/** Inputs as the procedures take them; namespace and group are in the URL. */
const ClaimBody = ClaimInput.omit({ namespace: true, group: true }).meta({ id: 'ClaimBody' });
const AckBody = AckInput.omit({ namespace: true, group: true }).meta({ id: 'AckBody' });
const NackBody = NackInput.omit({ namespace: true, group: true }).meta({ id: 'NackBody' });
const { deliveryIds, all } = DeadLetterChoice.shape;
const DeadLetterBody = z.object({ deliveryIds, all }).meta({ id: 'DeadLetterBody' });

export const groupRoutes: readonly Route[] = [
  procedureRoute({
    method: 'POST',
    path: '/v1/groups/{group}/claim',
    operationId: 'claimDeliveries',
    tag,
    summary: 'Claim events for processing',
    description:
      'Answers at once if events are available. Otherwise it answers when the first event arrives or `waitMs` has passed. The ' +
      'first call creates the group. A call with different `topics`, `ackDeadlineMs` or `maxDeliveries` is refused with CONFLICT. ' +
      'Acknowledge each delivery or give it back (ack or nack) before its deadline.',
    pathParameters,
    query,
    body: { [JSON_MEDIA_TYPE]: ClaimBody },
    answers: { 200: { description: 'The deliveries. None if no event came within `waitMs`.', schema: ClaimResult } },
    refusals: ['ACL_DENIED', 'CONFLICT', 'PAYLOAD_TOO_LARGE'],
    call: (caller, input) => caller.bus.claim(input),
  }),
  procedureRoute({
    method: 'POST',
    path: '/v1/groups/{group}/ack',
    operationId: 'ackDeliveries',
    tag,
    summary: 'Acknowledge deliveries',
    description: 'An ack that comes after the deadline also settles the delivery.',
    pathParameters,
    query,
    body: { [JSON_MEDIA_TYPE]: AckBody },
    answers: { 200: { description: 'The number of deliveries that were open.', schema: SettleResult } },
    refusals: ['ACL_DENIED', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE'],
    call: (caller, input) => caller.bus.ack(input),
  }),
  procedureRoute({
    method: 'POST',
    path: '/v1/groups/{group}/nack',
    operationId: 'nackDeliveries',
    tag,
    summary: 'Give back deliveries',
    description:
      'The events are delivered again, or become dead letters after the last attempt. A nack that comes after the deadline has no effect.',
    pathParameters,
    query,
    body: { [JSON_MEDIA_TYPE]: NackBody },
    answers: { 200: { description: 'The number of deliveries that were open.', schema: SettleResult } },
    refusals: ['ACL_DENIED', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE'],
    call: (caller, input) => caller.bus.nack(input),
  }),
  procedureRoute({
    method: 'GET',
    path: '/v1/groups',
    operationId: 'listGroups',
    tag,
    summary: 'List consumer groups',
    query,
    answers: {
      200: {
        description: 'The groups, with the number of events that are waiting, in flight and dead.',
        schema: GroupsResult,
      },
    },
    call: (caller, input) => caller.bus.groups(input),
  }),
  procedureRoute({
    method: 'GET',
    path: '/v1/groups/{group}/dead-letters',
    operationId: 'listDeadLetters',
    tag,
    summary: 'List the dead letters of a group, oldest first',
    pathParameters,
    query: {
      ...query,
      limit: integerParameter(DeadLettersInput.shape.limit, 'Maximum number of dead letters on a page.'),
      cursor,
    },
    answers: { 200: { description: 'A page of dead letters.', schema: DeadLettersResult } },
    refusals: ['ACL_DENIED', 'NOT_FOUND'],
    call: (caller, input) => caller.bus.deadLetters(input),
  }),
  procedureRoute({
    method: 'POST',
    path: '/v1/groups/{group}/dead-letters/redrive',
    operationId: 'redriveDeadLetters',
    tag,
    summary: 'Deliver dead letters again',
    description: 'The body has either `deliveryIds` or `all: true`.',
    pathParameters,
    query,
    body: { [JSON_MEDIA_TYPE]: DeadLetterBody },
    answers: { 200: { description: 'The number of dead letters.', schema: CountResult } },
    refusals: ['ACL_DENIED', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE'],
    call: (caller, input) => caller.bus.redrive(input),
  }),
  procedureRoute({
    method: 'POST',
    path: '/v1/groups/{group}/dead-letters/discard',
    operationId: 'discardDeadLetters',
    tag,
    summary: 'Discard dead letters',
    description: 'The body has either `deliveryIds` or `all: true`.',
    pathParameters,
    query,
    body: { [JSON_MEDIA_TYPE]: DeadLetterBody },
    answers: { 200: { description: 'The number of dead letters.', schema: CountResult } },
    refusals: ['ACL_DENIED', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE'],
    call: (caller, input) => caller.bus.discard(input),
  }),
  procedureRoute({
    method: 'GET',
    path: '/v1/topics',
    operationId: 'listTopics',
    tag,
    summary: 'List the topics in use',
    query: {
      ...query,
      limit: integerParameter(TopicsInput.shape.limit, 'Maximum number of topics on a page.'),
      cursor,
    },
    answers: { 200: { description: 'A page of topics.', schema: TopicsResult } },
    call: (caller, input) => caller.bus.topics(input),
  }),
];
