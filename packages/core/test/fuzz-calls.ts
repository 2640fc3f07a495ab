// For the fuzz test: valid calls of every kind.
import { ADMIN_TOKEN, JOIN_TOKEN, VIEWER_TOKEN } from './core.ts';

const registration = (name: string) => ({
  name,
  role: 'worker',
  version: '1.2.3',
  description: 'finds things',
  healthUrl: 'http://127.0.0.1:9/health',
  topics: { publishes: ['a.b'], subscribes: ['a.*', 'b.>'] },
  capabilities: ['plan', { id: 'code', tags: ['fast'], inputSchema: { type: 'object', properties: { a: {} } } }],
  labels: { zone: 'a', tier: '1' },
  incarnation: '11111111-1111-4111-8111-111111111111',
});

export interface ValidCall {
  method: string;
  path: string;
  token: string;
  json?: unknown;
  /** Beside those that every call has. */
  headers?: Record<string, string>;
}

/** Names in the calls: of an agent, of what is told apart by a digit. `agentToken` is a token of the agent "fuzzed". */
export interface Names {
  name: string;
  digit: number;
  agentToken: string;
}

export function validCalls({ name, digit, agentToken }: Names): [ValidCall, ...ValidCall[]] {
  return [...registryCalls({ name, digit, agentToken }), ...busCalls({ name, digit, agentToken })];
}

const input = (value: unknown) => `?input=${encodeURIComponent(JSON.stringify(value))}`;

function registryCalls({ name, digit, agentToken }: Names): [ValidCall, ...ValidCall[]] {
  const filter = 'role=worker&capability=plan&topic=a.b&health=unknown&circuit=closed&labels=zone=a&limit=10';
  return [
    { method: 'POST', path: '/v1/agents', token: JOIN_TOKEN, json: registration(name) },
    { method: 'POST', path: '/v1/agents?namespace=default', token: ADMIN_TOKEN, json: registration(name) },
    { method: 'GET', path: `/v1/agents?${filter}&text=finds+things`, token: VIEWER_TOKEN },
    { method: 'GET', path: `/v1/agents?labels=${encodeURIComponent('{"zone":"a"}')}`, token: ADMIN_TOKEN },
    { method: 'GET', path: `/v1/agents/${name}`, token: VIEWER_TOKEN },
    {
      method: 'PATCH',
      path: `/v1/agents/${name}`,
      token: ADMIN_TOKEN,
      json: { set: { labels: { a: 'b' } }, ifRevision: 3 },
    },
    { method: 'PATCH', path: `/v1/agents/${name}?ifRevision=9`, token: ADMIN_TOKEN, json: { version: '2.0.0' } },
    {
      method: 'PATCH',
      path: `/v1/agents/${name}`,
      token: ADMIN_TOKEN,
      json: { labels: { a: null }, topics: { publishes: ['c'] } },
    },
    { method: 'DELETE', path: `/v1/agents/${name}?reason=over`, token: ADMIN_TOKEN },
    { method: 'GET', path: `/v1/agents/${name}/history?limit=5`, token: VIEWER_TOKEN },
    { method: 'POST', path: '/v1/agents/fuzzed/heartbeat', token: agentToken, json: { activity: 'busy' } },
    { method: 'GET', path: '/v1/agents/watch?role=worker&since=1', token: VIEWER_TOKEN },
    {
      method: 'POST',
      path: '/v1/tokens',
      token: ADMIN_TOKEN,
      json: { kind: 'join', name: 'a', roles: ['worker'], expiresInMs: 1000, maxUses: 1 },
    },
    { method: 'GET', path: '/v1/tokens', token: ADMIN_TOKEN },
    { method: 'DELETE', path: `/v1/tokens/0000000${digit}-0000-4000-8000-000000000000`, token: ADMIN_TOKEN },
    { method: 'GET', path: '/v1/openapi.json', token: '' },
    { method: 'POST', path: '/trpc/registry.register', token: JOIN_TOKEN, json: registration(name) },
    { method: 'POST', path: '/trpc/registry.update', token: ADMIN_TOKEN, json: { name, set: { labels: { a: 'b' } } } },
    { method: 'POST', path: '/trpc/registry.deregister', token: ADMIN_TOKEN, json: { name, reason: 'over' } },
    { method: 'POST', path: '/trpc/registry.heartbeat', token: agentToken, json: { activity: 'ready' } },
    { method: 'GET', path: `/trpc/registry.get${input({ name })}`, token: VIEWER_TOKEN },
    {
      method: 'GET',
      path: `/trpc/registry.query${input({ role: 'worker', labels: { zone: 'a' }, text: 'a', limit: 9 })}`,
      token: VIEWER_TOKEN,
    },
    { method: 'GET', path: `/trpc/registry.history${input({ name, limit: 3 })}`, token: VIEWER_TOKEN },
    { method: 'GET', path: `/trpc/registry.watch${input({ role: 'worker', since: 1 })}`, token: VIEWER_TOKEN },
    { method: 'GET', path: `/trpc/tokens.list${input({})}`, token: ADMIN_TOKEN },
    {
      method: 'POST',
      path: '/trpc/registry.register,registry.heartbeat,registry.register?batch=1',
      token: ADMIN_TOKEN,
      json: { 0: registration(name), 1: { activity: 'busy' }, 2: registration(`${name}-b`) },
    },
    {
      method: 'GET',
      path: `/trpc/registry.get,registry.query${input({ 0: { name }, 1: { text: 'a' } })}&batch=1`,
      token: VIEWER_TOKEN,
    },
  ];
}

function busCalls({ name, digit, agentToken }: Names): ValidCall[] {
  const id = `1111111${digit}-1111-4111-8111-111111111111`;
  const event = { id, topic: 'task.fuzzed.progress', data: { a: [1, 'b', null] }, time: '2026-01-01T00:00:00Z' };
  const details = {
    subject: 'a',
    correlationId: 'b',
    causationId: 'c',
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  };
  const cloudEvent = {
    specversion: '1.0',
    id: name,
    source: '/a',
    type: 'a.b',
    subject: 'a',
    datacontenttype: 'text/plain',
    data_base64: 'YQ==',
  };
  const group = {
    topics: ['a.*', 'task.>'],
    from: 'earliest',
    max: 2,
    waitMs: 1,
    consumer: 'c',
    ackDeadlineMs: 100,
    maxDeliveries: 2,
  };
  const policy = {
    roles: { worker: { publish: ['task.{name}.>'], subscribe: ['>'], denyPublish: ['a.*'] } },
    default: { publish: [], subscribe: [] },
  };
  const deliveryIds = ['a-1-1.1', `a-${digit}-2.1`];
  return [
    { method: 'POST', path: '/v1/events', token: agentToken, json: { ...event, ...details } },
    { method: 'POST', path: '/v1/events', token: ADMIN_TOKEN, json: [event, { topic: 'a.b', data: name }] },
    {
      method: 'POST',
      path: '/v1/events',
      token: ADMIN_TOKEN,
      json: cloudEvent,
      headers: { 'content-type': 'application/cloudevents+json' },
    },
    {
      method: 'POST',
      path: '/v1/events',
      token: ADMIN_TOKEN,
      json: [cloudEvent, cloudEvent],
      headers: { 'content-type': 'application/cloudevents-batch+json' },
    },
    {
      method: 'POST',
      path: '/v1/events',
      token: ADMIN_TOKEN,
      json: { a: 1 },
      headers: { 'ce-specversion': '1.0', 'ce-id': name, 'ce-source': '/a%20b', 'ce-type': 'a.b', 'ce-subject': '"a"' },
    },
    { method: 'GET', path: '/v1/events?topics=a.*&topics=task.%3E&limit=5', token: VIEWER_TOKEN },
    { method: 'GET', path: '/v1/events/stream?topics=a.*&from=earliest', token: VIEWER_TOKEN },
    { method: 'POST', path: `/v1/groups/group-${digit}/claim`, token: ADMIN_TOKEN, json: group },
    { method: 'POST', path: `/v1/groups/group-${digit}/ack`, token: ADMIN_TOKEN, json: { deliveryIds } },
    {
      method: 'POST',
      path: `/v1/groups/group-${digit}/nack`,
      token: ADMIN_TOKEN,
      json: { deliveryIds, delayMs: 1, reason: 'a' },
    },
    { method: 'GET', path: '/v1/groups', token: VIEWER_TOKEN },
    { method: 'GET', path: `/v1/groups/group-${digit}/dead-letters?limit=5&cursor=1`, token: VIEWER_TOKEN },
    { method: 'POST', path: `/v1/groups/group-${digit}/dead-letters/redrive`, token: ADMIN_TOKEN, json: { all: true } },
    {
      method: 'POST',
      path: `/v1/groups/group-${digit}/dead-letters/discard`,
      token: ADMIN_TOKEN,
      json: { deliveryIds },
    },
    { method: 'GET', path: '/v1/topics?limit=3&cursor=a', token: VIEWER_TOKEN },
    { method: 'GET', path: '/v1/policy', token: VIEWER_TOKEN },
    { method: 'PUT', path: '/v1/policy?namespace=ruled', token: ADMIN_TOKEN, json: { policy, ifVersion: 0 } },
    { method: 'GET', path: '/v1/policy/explain?name=fuzzed&action=publish&topic=a.b', token: VIEWER_TOKEN },
    { method: 'POST', path: '/trpc/bus.publish', token: agentToken, json: { ...event, ...details } },
    { method: 'POST', path: '/trpc/bus.publishMany', token: ADMIN_TOKEN, json: { events: [event, event] } },
    { method: 'GET', path: `/trpc/bus.subscribe${input({ topics: ['a.*'], from: 'earliest' })}`, token: VIEWER_TOKEN },
    { method: 'GET', path: `/trpc/bus.read${input({ topics: ['>'], limit: 3 })}`, token: VIEWER_TOKEN },
    {
      method: 'GET',
      path: `/trpc/bus.consume${input({ group: `group-${digit}`, ...group, maxInFlight: 2 })}`,
      token: ADMIN_TOKEN,
    },
    { method: 'POST', path: '/trpc/bus.claim', token: ADMIN_TOKEN, json: { group: `group-${digit}`, ...group } },
    { method: 'POST', path: '/trpc/bus.ack', token: ADMIN_TOKEN, json: { group: `group-${digit}`, deliveryIds } },
    {
      method: 'POST',
      path: '/trpc/bus.nack',
      token: ADMIN_TOKEN,
      json: { group: `group-${digit}`, deliveryIds, delayMs: 1 },
    },
    {
      method: 'GET',
      path: `/trpc/bus.deadLetters${input({ group: `group-${digit}`, cursor: '1' })}`,
      token: VIEWER_TOKEN,
    },
    { method: 'POST', path: '/trpc/bus.redrive', token: ADMIN_TOKEN, json: { group: `group-${digit}`, all: true } },
    { method: 'GET', path: `/trpc/bus.topics${input({ limit: 2, cursor: 'a' })}`, token: VIEWER_TOKEN },
    { method: 'GET', path: `/trpc/bus.groups${input({})}`, token: VIEWER_TOKEN },
    { method: 'POST', path: '/trpc/policy.put', token: ADMIN_TOKEN, json: { namespace: 'ruled', policy } },
    {
      method: 'GET',
      path: `/trpc/policy.explain${input({ name: 'fuzzed', action: 'subscribe', topic: 'a.*' })}`,
      token: VIEWER_TOKEN,
    },
  ];
}
