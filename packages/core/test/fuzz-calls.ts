// For the fuzz test: valid calls of every kind.

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

/** Tokens of every kind; `agent` is one of the agent "fuzzed". */
export interface Tokens {
  readonly admin: string;
  readonly join: string;
  readonly viewer: string;
  readonly agent: string;
}

/** What the calls name: an agent, and a digit that distinguishes groups and ids. */
export interface Names {
  name: string;
  digit: number;
  tokens: Tokens;
}

export function validCalls(names: Names): [ValidCall, ...ValidCall[]] {
  return [...registryCalls(names), ...busCalls(names)];
}

const input = (value: unknown) => `?input=${encodeURIComponent(JSON.stringify(value))}`;

function registryCalls({ name, digit, tokens }: Names): [ValidCall, ...ValidCall[]] {
  const filter = 'role=worker&capability=plan&topic=a.b&health=unknown&circuit=closed&labels=zone=a&limit=10';
  return [
    { method: 'POST', path: '/v1/agents', token: tokens.join, json: registration(name) },
    { method: 'POST', path: '/v1/agents?namespace=default', token: tokens.admin, json: registration(name) },
    { method: 'GET', path: `/v1/agents?${filter}&text=finds+things`, token: tokens.viewer },
    { method: 'GET', path: `/v1/agents?labels=${encodeURIComponent('{"zone":"a"}')}`, token: tokens.admin },
    { method: 'GET', path: `/v1/agents/${name}`, token: tokens.viewer },
    {
      method: 'PATCH',
      path: `/v1/agents/${name}`,
      token: tokens.admin,
      json: { set: { labels: { a: 'b' } }, ifRevision: 3 },
    },
    { method: 'PATCH', path: `/v1/agents/${name}?ifRevision=9`, token: tokens.admin, json: { version: '2.0.0' } },
    {
      method: 'PATCH',
      path: `/v1/agents/${name}`,
      token: tokens.admin,
      json: { labels: { a: null }, topics: { publishes: ['c'] } },
    },
    { method: 'DELETE', path: `/v1/agents/${name}?reason=over`, token: tokens.admin },
    { method: 'GET', path: `/v1/agents/${name}/history?limit=5`, token: tokens.viewer },
    { method: 'POST', path: '/v1/agents/fuzzed/heartbeat', token: tokens.agent, json: { activity: 'busy' } },
    { method: 'GET', path: '/v1/agents/watch?role=worker&since=1', token: tokens.viewer },
    {
      method: 'POST',
      path: '/v1/tokens',
      token: tokens.admin,
      json: { kind: 'join', name: 'a', roles: ['worker'], expiresInMs: 1000, maxUses: 1 },
    },
    { method: 'GET', path: '/v1/tokens', token: tokens.admin },
    { method: 'DELETE', path: `/v1/tokens/0000000${digit}-0000-4000-8000-000000000000`, token: tokens.admin },
    { method: 'GET', path: '/v1/openapi.json', token: '' },
    { method: 'POST', path: '/trpc/registry.register', token: tokens.join, json: registration(name) },
    { method: 'POST', path: '/trpc/registry.update', token: tokens.admin, json: { name, set: { labels: { a: 'b' } } } },
    { method: 'POST', path: '/trpc/registry.deregister', token: tokens.admin, json: { name, reason: 'over' } },
    { method: 'POST', path: '/trpc/registry.heartbeat', token: tokens.agent, json: { activity: 'ready' } },
    { method: 'GET', path: `/trpc/registry.get${input({ name })}`, token: tokens.viewer },
    {
      method: 'GET',
      path: `/trpc/registry.query${input({ role: 'worker', labels: { zone: 'a' }, text: 'a', limit: 9 })}`,
      token: tokens.viewer,
    },
    { method: 'GET', path: `/trpc/registry.history${input({ name, limit: 3 })}`, token: tokens.viewer },
    { method: 'GET', path: `/trpc/registry.watch${input({ role: 'worker', since: 1 })}`, token: tokens.viewer },
    { method: 'GET', path: `/trpc/tokens.list${input({})}`, token: tokens.admin },
    {
      method: 'POST',
      path: '/trpc/registry.register,registry.heartbeat,registry.register?batch=1',
      token: tokens.admin,
      json: { 0: registration(name), 1: { activity: 'busy' }, 2: registration(`${name}-b`) },
    },
    {
      method: 'GET',
      path: `/trpc/registry.get,registry.query${input({ 0: { name }, 1: { text: 'a' } })}&batch=1`,
      token: tokens.viewer,
    },
  ];
}

function busCalls({ name, digit, tokens }: Names): ValidCall[] {
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
    { method: 'POST', path: '/v1/events', token: tokens.agent, json: { ...event, ...details } },
    { method: 'POST', path: '/v1/events', token: tokens.admin, json: [event, { topic: 'a.b', data: name }] },
    {
      method: 'POST',
      path: '/v1/events',
      token: tokens.admin,
      json: cloudEvent,
      headers: { 'content-type': 'application/cloudevents+json' },
    },
    {
      method: 'POST',
      path: '/v1/events',
      token: tokens.admin,
      json: [cloudEvent, cloudEvent],
      headers: { 'content-type': 'application/cloudevents-batch+json' },
    },
    {
      method: 'POST',
      path: '/v1/events',
      token: tokens.admin,
      json: { a: 1 },
      headers: { 'ce-specversion': '1.0', 'ce-id': name, 'ce-source': '/a%20b', 'ce-type': 'a.b', 'ce-subject': '"a"' },
    },
    { method: 'GET', path: '/v1/events?topics=a.*&topics=task.%3E&limit=5', token: tokens.viewer },
    { method: 'GET', path: '/v1/events/stream?topics=a.*&from=earliest', token: tokens.viewer },
    { method: 'POST', path: `/v1/groups/group-${digit}/claim`, token: tokens.admin, json: group },
    { method: 'POST', path: `/v1/groups/group-${digit}/ack`, token: tokens.admin, json: { deliveryIds } },
    {
      method: 'POST',
      path: `/v1/groups/group-${digit}/nack`,
      token: tokens.admin,
      json: { deliveryIds, delayMs: 1, reason: 'a' },
    },
    { method: 'GET', path: '/v1/groups', token: tokens.viewer },
    { method: 'GET', path: `/v1/groups/group-${digit}/dead-letters?limit=5&cursor=1`, token: tokens.viewer },
    {
      method: 'POST',
      path: `/v1/groups/group-${digit}/dead-letters/redrive`,
      token: tokens.admin,
      json: { all: true },
    },
    {
      method: 'POST',
      path: `/v1/groups/group-${digit}/dead-letters/discard`,
      token: tokens.admin,
      json: { deliveryIds },
    },
    { method: 'GET', path: '/v1/topics?limit=3&cursor=a', token: tokens.viewer },
    { method: 'GET', path: '/v1/policy', token: tokens.viewer },
    { method: 'PUT', path: '/v1/policy?namespace=ruled', token: tokens.admin, json: { policy, ifVersion: 0 } },
    { method: 'GET', path: '/v1/policy/explain?name=fuzzed&action=publish&topic=a.b', token: tokens.viewer },
    { method: 'POST', path: '/trpc/bus.publish', token: tokens.agent, json: { ...event, ...details } },
    { method: 'POST', path: '/trpc/bus.publishMany', token: tokens.admin, json: { events: [event, event] } },
    { method: 'GET', path: `/trpc/bus.subscribe${input({ topics: ['a.*'], from: 'earliest' })}`, token: tokens.viewer },
    { method: 'GET', path: `/trpc/bus.read${input({ topics: ['>'], limit: 3 })}`, token: tokens.viewer },
    {
      method: 'GET',
      path: `/trpc/bus.consume${input({ group: `group-${digit}`, ...group, maxInFlight: 2 })}`,
      token: tokens.admin,
    },
    { method: 'POST', path: '/trpc/bus.claim', token: tokens.admin, json: { group: `group-${digit}`, ...group } },
    { method: 'POST', path: '/trpc/bus.ack', token: tokens.admin, json: { group: `group-${digit}`, deliveryIds } },
    {
      method: 'POST',
      path: '/trpc/bus.nack',
      token: tokens.admin,
      json: { group: `group-${digit}`, deliveryIds, delayMs: 1 },
    },
    {
      method: 'GET',
      path: `/trpc/bus.deadLetters${input({ group: `group-${digit}`, cursor: '1' })}`,
      token: tokens.viewer,
    },
    { method: 'POST', path: '/trpc/bus.redrive', token: tokens.admin, json: { group: `group-${digit}`, all: true } },
    { method: 'GET', path: `/trpc/bus.topics${input({ limit: 2, cursor: 'a' })}`, token: tokens.viewer },
    { method: 'GET', path: `/trpc/bus.groups${input({})}`, token: tokens.viewer },
    { method: 'POST', path: '/trpc/policy.put', token: tokens.admin, json: { namespace: 'ruled', policy } },
    {
      method: 'GET',
      path: `/trpc/policy.explain${input({ name: 'fuzzed', action: 'subscribe', topic: 'a.*' })}`,
      token: tokens.viewer,
    },
  ];
}
