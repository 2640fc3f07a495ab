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
const cursor = textParameter(z.string().max(LIMITS.cursorLength), '`nextCursor` of the page before.');

/** Inputs as the procedures take them; namespace and group are in the URL. */
export const ClaimBody = ClaimInput.omit({ namespace: true, group: true });
export const AckBody = AckInput.omit({ namespace: true, group: true });
export const NackBody = NackInput.omit({ namespace: true, group: true });
const { deliveryIds, all } = DeadLetterChoice.shape;
export const DeadLetterBody = z.object({ deliveryIds, all });

export const groupRoutes: readonly Route[] = [
  procedureRoute({
    method: 'POST',
    path: '/v1/groups/{group}/claim',
    operationId: 'claimDeliveries',
    tag,
    summary: 'Take events to work on',
    description:
      'Answers at once when there are any, else when the first one comes or `waitMs` is over. The first call makes the group; ' +
      'one that names other topics, deadline or attempts ends in CONFLICT. Each delivery wants an ack or a nack before its deadline.',
    pathParameters,
    query,
    body: { [JSON_MEDIA_TYPE]: ClaimBody },
    answers: { 200: { description: 'The deliveries; none when the wait is over.', schema: ClaimResult } },
    refusals: ['ACL_DENIED', 'CONFLICT', 'PAYLOAD_TOO_LARGE'],
    call: (caller, input) => caller.bus.claim(input),
  }),
  procedureRoute({
    method: 'POST',
    path: '/v1/groups/{group}/ack',
    operationId: 'ackDeliveries',
    tag,
    summary: 'Say that deliveries are done',
    description: 'A late ack settles too.',
    pathParameters,
    query,
    body: { [JSON_MEDIA_TYPE]: AckBody },
    answers: { 200: { description: 'How many were open.', schema: SettleResult } },
    refusals: ['ACL_DENIED', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE'],
    call: (caller, input) => caller.bus.ack(input),
  }),
  procedureRoute({
    method: 'POST',
    path: '/v1/groups/{group}/nack',
    operationId: 'nackDeliveries',
    tag,
    summary: 'Give deliveries back',
    description:
      'They are delivered again, or become dead letters after the last attempt. A late nack counts for nothing.',
    pathParameters,
    query,
    body: { [JSON_MEDIA_TYPE]: NackBody },
    answers: { 200: { description: 'How many were open.', schema: SettleResult } },
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
    answers: { 200: { description: 'The groups, with what waits in them.', schema: GroupsResult } },
    call: (caller, input) => caller.bus.groups(input),
  }),
  procedureRoute({
    method: 'GET',
    path: '/v1/groups/{group}/dead-letters',
    operationId: 'listDeadLetters',
    tag,
    summary: 'Read what a group has given up on, oldest first',
    pathParameters,
    query: { ...query, limit: integerParameter(DeadLettersInput.shape.limit, 'Most dead letters on a page.'), cursor },
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
    description: 'Takes either `deliveryIds` or `all: true`.',
    pathParameters,
    query,
    body: { [JSON_MEDIA_TYPE]: DeadLetterBody },
    answers: { 200: { description: 'How many there were.', schema: CountResult } },
    refusals: ['ACL_DENIED', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE'],
    call: (caller, input) => caller.bus.redrive(input),
  }),
  procedureRoute({
    method: 'POST',
    path: '/v1/groups/{group}/dead-letters/discard',
    operationId: 'discardDeadLetters',
    tag,
    summary: 'Drop dead letters for good',
    description: 'Takes either `deliveryIds` or `all: true`.',
    pathParameters,
    query,
    body: { [JSON_MEDIA_TYPE]: DeadLetterBody },
    answers: { 200: { description: 'How many there were.', schema: CountResult } },
    refusals: ['ACL_DENIED', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE'],
    call: (caller, input) => caller.bus.discard(input),
  }),
  procedureRoute({
    method: 'GET',
    path: '/v1/topics',
    operationId: 'listTopics',
    tag,
    summary: 'List the topics in use',
    query: { ...query, limit: integerParameter(TopicsInput.shape.limit, 'Most topics on a page.'), cursor },
    answers: { 200: { description: 'A page of topics.', schema: TopicsResult } },
    call: (caller, input) => caller.bus.topics(input),
  }),
];
