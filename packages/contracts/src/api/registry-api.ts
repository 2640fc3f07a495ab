// The procedures of the registry.
import { z } from 'zod';
import { Agent, AgentRegistration } from '../agent.ts';
import { inEachView } from '../agent-view.ts';
import {
  AgentUpdate,
  DeregisterInput,
  DeregisterResult,
  GetInput,
  HeartbeatInput,
  HeartbeatResult,
  HistoryInput,
  HistoryResult,
  QueryInput,
  QueryResult,
  QuerySummaryResult,
  RegisterResult,
  UpdateInput,
  UpdateResult,
  WatchInput,
} from '../registry.ts';
import { WatchEvent, WatchSummaryEvent } from '../watch.ts';
import { LIMITS } from '../limits.ts';
import { mutation, query, subscription } from './procedure.ts';
import { READ } from './rights.ts';

/** An update as a body; the name is in the path. */
const UpdateBody = z.object({ set: AgentUpdate, ifRevision: UpdateInput.shape.ifRevision }).meta({ id: 'UpdateBody' });
/** Inputs as bodies, for what is too long for a URL; the namespace is in the URL, and so is the cursor of a stream. */
const QueryBody = QueryInput.omit({ namespace: true }).meta({ id: 'QueryBody' });
const WatchBody = WatchInput.omit({ namespace: true, lastEventId: true }).meta({ id: 'WatchBody' });

export const registryApi = {
  register: mutation({
    input: AgentRegistration,
    output: RegisterResult,
    summary: 'Register an agent, or register it again',
    description:
      'Idempotent on namespace and name. The answer contains the token of the agent, which is shown only once. A registration ' +
      'with a new `incarnation` takes over the name and revokes the tokens of the previous process.',
    rights: { admin: 'everywhere', join: 'roles' },
    // The change log has it, and the agent which token registered it.
    audited: false,
    errors: ['ACL_DENIED', 'IMMUTABLE_FIELD', 'RATE_LIMITED'],
    maxInputBytes: LIMITS.registrationBytes,
    maxAnswerBytes: LIMITS.registrationBytes,
    repeatsInput: true,
    rest: {
      method: 'POST',
      path: '/v1/agents',
      operationId: 'registerAgent',
      tag: 'agents',
      body: AgentRegistration,
      answers: { 200: 'The agent was updated, or is unchanged.', 201: 'The agent was created.' },
    },
  }),

  query: query({
    input: QueryInput,
    output: inEachView(QueryResult, QuerySummaryResult),
    maxAnswerBytes: LIMITS.pageBytes,
    summary: 'Find agents',
    description: 'An agent must match all given filters. Ordered by name.',
    rights: READ,
    errors: [],
    rest: {
      method: 'GET',
      path: '/v1/agents',
      operationId: 'queryAgents',
      tag: 'agents',
      byPost: { path: '/v1/agents/query', operationId: 'queryAgentsByPost', body: QueryBody },
      answers: { 200: 'A page of agents.' },
    },
  }),

  watch: subscription({
    input: WatchInput,
    output: inEachView(WatchEvent, WatchSummaryEvent),
    summary: 'Follow the agents of a namespace live',
    rights: READ,
    errors: [],
    rest: {
      method: 'GET',
      path: '/v1/agents/watch',
      operationId: 'watchAgents',
      tag: 'agents',
      description:
        'Server-sent events. `event:` is the `type` of the WatchEvent, `data:` is the WatchEvent, and `id:` is the value with which ' +
        '`Last-Event-ID` resumes the stream. `Last-Event-ID` takes precedence over `since`. An error before the first event is an ' +
        'ordinary error answer. A later error is an event `error` with a SwarmError, after which the stream ends.',
      byPost: { path: '/v1/agents/watch', operationId: 'watchAgentsByPost', body: WatchBody },
      answers: { 200: 'The stream.' },
    },
  }),

  get: query({
    input: GetInput,
    output: Agent,
    maxAnswerBytes: LIMITS.registrationBytes,
    summary: 'Get an agent',
    rights: READ,
    errors: ['NOT_FOUND'],
    rest: {
      method: 'GET',
      path: '/v1/agents/{name}',
      operationId: 'getAgent',
      tag: 'agents',
      answers: { 200: 'The agent.' },
    },
  }),

  update: mutation({
    input: UpdateInput,
    output: UpdateResult,
    maxInputBytes: LIMITS.registrationBytes,
    maxAnswerBytes: LIMITS.registrationBytes,
    summary: "Change an agent's registration",
    rights: { admin: 'everywhere', agent: 'self' },
    audited: true,
    errors: ['ACL_DENIED', 'NOT_FOUND', 'CONFLICT', 'IMMUTABLE_FIELD', 'RATE_LIMITED'],
    rest: {
      method: 'PATCH',
      path: '/v1/agents/{name}',
      operationId: 'updateAgent',
      tag: 'agents',
      description:
        'A body with `set` replaces the fields in `set`. Any other body, and every `application/merge-patch+json`, is a merge ' +
        'patch (RFC 7396) of the mutable fields: each label is merged on its own, and null removes a value. `ifRevision` may be in ' +
        'the query or in the body.',
      body: UpdateBody,
      query: ['ifRevision'],
      answers: { 200: 'The agent after the update.' },
    },
  }),

  deregister: mutation({
    input: DeregisterInput,
    output: DeregisterResult,
    maxAnswerBytes: LIMITS.registrationBytes,
    summary: 'Remove an agent',
    description: 'The tokens of the agent stop working at once. The answer is the last state of the agent.',
    rights: { admin: 'everywhere', operator: 'namespace', agent: 'self' },
    audited: true,
    errors: ['NOT_FOUND'],
    rest: {
      method: 'DELETE',
      path: '/v1/agents/{name}',
      operationId: 'deregisterAgent',
      tag: 'agents',
      answers: { 200: 'The last state of the agent.' },
    },
  }),

  history: query({
    input: HistoryInput,
    output: HistoryResult,
    maxAnswerBytes: LIMITS.pageBytes,
    summary: 'List the changes of an agent, newest first',
    rights: READ,
    errors: ['NOT_FOUND', 'COMPACTED'],
    rest: {
      method: 'GET',
      path: '/v1/agents/{name}/history',
      operationId: 'agentHistory',
      tag: 'agents',
      answers: { 200: 'A page of changes.' },
    },
  }),

  heartbeat: mutation({
    input: HeartbeatInput,
    output: HeartbeatResult,
    summary: "Renew the agent's lease",
    description:
      'Needs the token of the agent itself. Send a heartbeat every third of `leaseMs`. Any other call with the token of the agent ' +
      'is a heartbeat, too, when it begins, whether it is granted or refused. An open stream or a waiting claim counts once, at ' +
      'its beginning. A change of `note` alone is shown at most every 5 seconds; the last one is shown in the end.',
    rights: { agent: 'self' },
    audited: false,
    errors: [],
    hot: true,
    rest: {
      method: 'POST',
      path: '/v1/agents/{name}/heartbeat',
      operationId: 'heartbeat',
      tag: 'agents',
      body: HeartbeatInput,
      bodyOptional: true,
      answers: { 200: 'The lease.' },
    },
  }),
};
