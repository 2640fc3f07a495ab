// The registry over plain HTTP.
import {
  Agent,
  AgentName,
  AgentRegistration,
  AgentUpdate,
  CircuitState,
  DEFAULT_NAMESPACE,
  DeregisterResult,
  Health,
  HeartbeatInput,
  HeartbeatResult,
  HistoryInput,
  HistoryResult,
  invalidInput,
  LIMITS,
  Name,
  QueryInput,
  QueryResult,
  RegisterResult,
  SwarmError,
  Topic,
  UpdateInput,
  UpdateResult,
  WatchEvent,
} from '@hypercode/contracts';
import { z } from 'zod';
import { heartbeat } from '../heartbeat.ts';
import { watchStream } from '../streams/watch-stream.ts';
import { isMergePatch, JSON_MEDIA_TYPE, jsonBody, MERGE_PATCH_MEDIA_TYPE } from './json-body.ts';
import { AgentMergePatch, AgentPatch, patchAgent, patchInput } from './merge-patch.ts';
import {
  decodeParameters,
  integerParameter,
  labelsParameter,
  namespaceParameter,
  type Parameters,
  textParameter,
} from './parameters.ts';
import { contextOf, isJsonObject, mergeInput, procedureRoute, type Route } from './route.ts';
import { streamRoute } from './stream-route.ts';

const tag = 'agents';
const namespace = { namespace: namespaceParameter };
const named = { pathParameters: { name: AgentName } };
const limit = integerParameter(QueryInput.shape.limit, 'Maximum number of results on a page.');
const cursor = textParameter(z.string().max(LIMITS.cursorLength), '`nextCursor` of the previous page.');
const filter: Parameters = {
  ...namespace,
  role: textParameter(Name, 'The role of the agent.'),
  capability: textParameter(Name, 'The id of a capability of the agent.'),
  topic: textParameter(Topic, 'A topic that matches one of the patterns that the agent declares.'),
  health: textParameter(Health, 'The health of the agent.'),
  circuit: textParameter(CircuitState, 'The state of the circuit of the agent.'),
  labels: labelsParameter,
};
const ifRevision = integerParameter(
  z.number().int().nonnegative(),
  'Update only if the `specRevision` of the agent is still this one.',
);

/** An update as the procedure takes it; the name is in the path. */
const UpdateBody = z.object({ set: AgentUpdate, ifRevision: UpdateInput.shape.ifRevision }).meta({ id: 'UpdateBody' });

const register = procedureRoute({
  method: 'POST',
  path: '/v1/agents',
  operationId: 'registerAgent',
  tag,
  summary: 'Register an agent, or register it again',
  description:
    'Idempotent on namespace and name. The answer contains the token of the agent, which is shown only once. A registration ' +
    'with a new `incarnation` takes over the name and revokes the tokens of the previous process.',
  query: namespace,
  body: { [JSON_MEDIA_TYPE]: AgentRegistration },
  answers: {
    200: { description: 'The agent was updated, or is unchanged.', schema: RegisterResult },
    201: { description: 'The agent was created.', schema: RegisterResult },
  },
  refusals: ['IMMUTABLE_FIELD', 'PAYLOAD_TOO_LARGE', 'RATE_LIMITED'],
  call: (caller, input) => caller.registry.register(input),
  statusOf: ({ outcome }) => (outcome === 'created' ? 201 : 200),
  headersOf: ({ agent }) => ({ location: addressOf(agent) }),
});

const query = procedureRoute({
  method: 'GET',
  path: '/v1/agents',
  operationId: 'queryAgents',
  tag,
  summary: 'Find agents',
  description: 'An agent must match all given filters. Ordered by name.',
  query: {
    ...filter,
    text: textParameter(
      z.string().min(1).max(LIMITS.searchLength),
      'Words to search for in name, role, description, capabilities and labels. Every word must occur.',
    ),
    limit,
    cursor,
  },
  answers: { 200: { description: 'A page of agents.', schema: QueryResult } },
  call: (caller, input) => caller.registry.query(input),
});

const watch = streamRoute({
  kind: watchStream,
  path: '/v1/agents/watch',
  operationId: 'watchAgents',
  tag,
  summary: 'Follow the agents of a namespace live',
  description:
    'Server-sent events. `event:` is the `type` of the WatchEvent, `data:` is the WatchEvent, and `id:` is the value with which ' +
    '`Last-Event-ID` resumes the stream. `Last-Event-ID` takes precedence over `since`. An error before the first event is an ' +
    'ordinary error answer. A later error is an event `error` with a SwarmError, after which the stream ends.',
  query: {
    ...filter,
    since: integerParameter(z.number().int().nonnegative(), 'Continue after this revision, without a snapshot.'),
  },
  value: WatchEvent,
});

const get = procedureRoute({
  method: 'GET',
  path: '/v1/agents/{name}',
  operationId: 'getAgent',
  tag,
  summary: 'Get an agent',
  ...named,
  query: namespace,
  answers: { 200: { description: 'The agent.', schema: Agent } },
  refusals: ['NOT_FOUND'],
  call: (caller, input) => caller.registry.get(input),
});

const update = procedureRoute({
  method: 'PATCH',
  path: '/v1/agents/{name}',
  operationId: 'updateAgent',
  tag,
  summary: "Change an agent's registration",
  description:
    'A body with `set` replaces the fields in `set`. Any other body, and every `application/merge-patch+json`, is a merge ' +
    'patch (RFC 7396) of the mutable fields: each label is merged on its own, and null removes a value. `ifRevision` may be in ' +
    'the query or in the body.',
  ...named,
  query: { ...namespace, ifRevision },
  body: { [JSON_MEDIA_TYPE]: z.union([UpdateBody, AgentMergePatch]), [MERGE_PATCH_MEDIA_TYPE]: AgentMergePatch },
  answers: { 200: { description: 'The agent after the update.', schema: UpdateResult } },
  refusals: ['NOT_FOUND', 'CONFLICT', 'IMMUTABLE_FIELD', 'PAYLOAD_TOO_LARGE', 'RATE_LIMITED'],
  input: (body, fromUrl, request): unknown =>
    isJsonObject(body) && 'set' in body && !isMergePatch(request)
      ? mergeInput(body, fromUrl)
      : patchInput(body, fromUrl),
  call: (caller, input: unknown) =>
    input instanceof AgentPatch ? patchAgent(caller, input) : caller.registry.update(input as never),
});

const deregister = procedureRoute({
  method: 'DELETE',
  path: '/v1/agents/{name}',
  operationId: 'deregisterAgent',
  tag,
  summary: 'Remove an agent',
  description: 'The tokens of the agent stop working at once. The answer is the last state of the agent.',
  ...named,
  query: {
    ...namespace,
    reason: textParameter(z.string().max(LIMITS.reasonLength), 'The reason, as text. Watchers receive it.'),
  },
  answers: { 200: { description: 'The last state of the agent.', schema: DeregisterResult } },
  refusals: ['NOT_FOUND'],
  call: (caller, input) => caller.registry.deregister(input),
});

const history = procedureRoute({
  method: 'GET',
  path: '/v1/agents/{name}/history',
  operationId: 'agentHistory',
  tag,
  summary: 'List the changes of an agent, newest first',
  ...named,
  query: {
    ...namespace,
    limit: integerParameter(HistoryInput.shape.limit, 'Maximum number of changes on a page.'),
    cursor,
  },
  answers: { 200: { description: 'A page of changes.', schema: HistoryResult } },
  refusals: ['NOT_FOUND', 'COMPACTED'],
  call: (caller, input) => caller.registry.history(input),
});

/** The route that is called most: it goes past tRPC, whose way costs about four times as much. */
const beat: Route = {
  method: 'POST',
  path: '/v1/agents/{name}/heartbeat',
  operationId: 'heartbeat',
  tag,
  summary: "Renew the agent's lease",
  description: 'Needs the token of the agent itself. Send a heartbeat every third of `leaseMs`.',
  ...named,
  query: namespace,
  body: { [JSON_MEDIA_TYPE]: HeartbeatInput },
  bodyOptional: true,
  answers: { 200: { description: 'The lease.', schema: HeartbeatResult } },
  serve: async (core, request, reply) => {
    const { principal } = await contextOf(core, request).identify();
    const body = jsonBody(request, LIMITS.registrationBytes) ?? {};
    const input = HeartbeatInput.safeParse(mergeInput(body, decodeParameters(namespace, request.query)));
    if (!input.success) throw invalidInput(input.error);
    const { name } = request.params as { name: string };
    if (principal.kind === 'agent' && principal.name !== name) {
      throw new SwarmError('FORBIDDEN', 'an agent can only send heartbeats for itself');
    }
    return reply.send(await heartbeat(core, principal, input.data));
  },
};

export const agentRoutes: readonly Route[] = [register, query, watch, get, update, deregister, history, beat];

function addressOf({ namespace: home, name }: Agent): string {
  return `/v1/agents/${name}${home === DEFAULT_NAMESPACE ? '' : `?namespace=${home}`}`;
}
