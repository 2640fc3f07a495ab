// A core with a small heap lives, whatever agents and viewers ask for and do not read: every query, with its largest answers.
import { type ApiInput, type ProcedureName, procedures } from '@hypercode/contracts';
import type { SpawnedCore } from '@hypercode/testkit';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { spawnCore } from '../fixtures/spawn-core.ts';

type QueryName = Exclude<ProcedureName, `${string}.${'register' | 'watch'}`>;

const AGENTS = 150;
const EVENTS = 17;
const GROUP = 'reader';
const LARGE_EVENT = '0b9f2c52-6a0e-4f0b-9a45-0d7c3f1f2a11';

/** The largest answer of each query that agents and viewers may call. A new query needs a line. */
const LARGEST: { readonly [Name in QueryName]?: ApiInput<Name> } = {
  whoami: {},
  'registry.get': { name: 'large-0' },
  'registry.query': { limit: 500 },
  'registry.history': { name: 'large-0', limit: 500 },
  'bus.read': { topics: ['agent.reader.inbox.>'], limit: 16 },
  'bus.find': { id: LARGE_EVENT },
  'bus.trace': { id: LARGE_EVENT },
  'bus.preview': { topic: 'agent.reader.inbox.x' },
  'bus.groups': {},
  'bus.deadLetters': { group: GROUP, limit: 500 },
  'bus.topics': { limit: 500 },
  'groups.get': { group: GROUP, limit: 500 },
  'plans.list': { limit: 500 },
  'questions.list': { limit: 100 },
  'plans.get': { planId: '5f0c8f0e-9a55-4c5b-8d0b-3f3f6a3b6c11' },
  'cluster.status': {},
  'namespaces.list': {},
  'stats.series': { metrics: ['published', 'delivered', 'acked', 'redelivered', 'dead', 'refused', 'publishP99Ms'] },
  'stats.traffic': {},
  'policy.get': {},
  'policy.history': { limit: 100 },
  'policy.explain': { name: 'reader', action: 'publish', topic: 'agent.reader.inbox.x' },
};

const queries = procedures.filter(
  ([, { kind, rights }]) => kind === 'query' && (rights.agent !== undefined || rights.viewer !== undefined),
);

let core: SpawnedCore;
let agent: string;
let viewer: string;
const sockets: Socket[] = [];
const webSockets: WebSocket[] = [];

async function call(token: string, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`${core.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
  return JSON.parse(text) as Record<string, unknown>;
}

beforeAll(async () => {
  core = await spawnCore({
    env: { NODE_OPTIONS: '--max-old-space-size=768', SWARM_RATE_REGISTER: '0', SWARM_RATE_PUBLISH: '0' },
  });
  const { adminToken: admin } = core;
  ({ token: agent } = (await call(core.joinToken, 'POST', '/v1/agents', {
    name: 'reader',
    role: 'worker',
    version: '1.0.0',
  })) as { token: string });
  ({ token: viewer } = (await call(admin, 'POST', '/v1/tokens', { kind: 'viewer', name: 'wall' })) as {
    token: string;
  });
  const capabilities = [{ id: 'plan', inputSchema: { description: 'x'.repeat(60_000) } }];
  for (let i = 0; i < AGENTS; i += 1) {
    // Of the first, a long history.
    const name = i % 2 === 0 ? `large-${i}` : 'large-0';
    await call(core.joinToken, 'POST', '/v1/agents', { name, role: 'worker', version: `1.0.${i}`, capabilities });
  }
  const topics = ['agent.reader.inbox.>'];
  const claim = { topics, from: 'earliest', maxDeliveries: 1, max: 100 };
  await call(agent, 'POST', `/v1/groups/${GROUP}/claim`, claim);
  for (let i = 0; i < EVENTS; i += 1) {
    const id = i === 0 ? { id: LARGE_EVENT } : {};
    await call(agent, 'POST', '/v1/events', { ...id, topic: 'agent.reader.inbox.x', data: 'x'.repeat(250_000) });
  }
  const schema = { type: 'string', description: 'x'.repeat(30_000) };
  for (let i = 0; i < 100; i += 1) {
    const data = { questionId: randomUUID(), text: 'why?', schema };
    await call(agent, 'POST', '/v1/events', { topic: 'question.reader.asked', data });
  }
  for (let taken = 0; taken < EVENTS;) {
    const { deliveries } = (await call(agent, 'POST', `/v1/groups/${GROUP}/claim`, { ...claim, waitMs: 5000 })) as {
      deliveries: { deliveryId: string }[];
    };
    const deliveryIds = deliveries.map(({ deliveryId }) => deliveryId);
    await call(agent, 'POST', `/v1/groups/${GROUP}/nack`, { deliveryIds });
    taken += deliveries.length;
  }
  const { version: _version, ...policy } = await call(admin, 'GET', '/v1/policy');
  const patterns = Array.from({ length: 200 }, (_, i) => `plan.${'x'.repeat(240)}${i}`);
  const roles = Object.fromEntries(
    Array.from({ length: 25 }, (_, i) => [`large-${i}`, { publish: patterns, subscribe: patterns }]),
  );
  const large = { ...policy, roles: { ...(policy['roles'] as object), ...roles } };
  for (let i = 0; i < 5; i += 1) await call(admin, 'PUT', '/v1/policy', { policy: large });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  for (const socket of webSockets) socket.terminate();
  await core?.close();
});

/** Sends a request, and reads nothing. */
async function sendUnread(text: string): Promise<void> {
  const { hostname, port } = new URL(core.url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.pause();
  socket.write(text);
}

async function openUnread(token: string): Promise<WebSocket> {
  const socket = new WebSocket(`${core.url.replace('http', 'ws')}/trpc`, {
    headers: { authorization: `Bearer ${token}` },
  });
  webSockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'open');
  socket.pause();
  return socket;
}

test('every query that agents and viewers may call has a line here', () => {
  expect(Object.keys(LARGEST).toSorted()).toEqual(queries.map(([name]) => name).toSorted());
});

test('the core lives while nobody reads the largest answers, and answers others', async () => {
  const before = await fetch(`${core.url}/healthz`);
  expect(before.status).toBe(200);
  let hasExited = false;
  void core.exited.then(() => {
    hasExited = true;
  });
  for (const [name, { rights }] of queries) {
    const input = LARGEST[name as QueryName];
    for (const token of [...(rights.agent === undefined ? [] : [agent]), viewer]) {
      const head = `host: core\r\nauthorization: Bearer ${token}\r\n`;
      const one = encodeURIComponent(JSON.stringify(input));
      const single = `GET /trpc/${name}?input=${one} HTTP/1.1\r\n${head}\r\n`;
      const count = Math.max(1, Math.min(100, Math.floor(12_000 / (name.length + one.length + 14))));
      const inputs = Object.fromEntries(Array.from({ length: count }, (_, index) => [index, input]));
      const names = Array.from({ length: count }, () => name).join(',');
      const batch = `/trpc/${names}?batch=1`;
      const get = `GET ${batch}&input=${encodeURIComponent(JSON.stringify(inputs))} HTTP/1.1\r\n${head}\r\n`;
      const body = JSON.stringify(inputs);
      const post = `POST ${batch} HTTP/1.1\r\n${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
      await Promise.all([
        sendUnread(single.repeat(50)),
        ...Array.from({ length: 4 }, () => sendUnread(get)),
        sendUnread(post),
      ]);
      const socket = await openUnread(token);
      const calls = Array.from({ length: 200 }, (_, id) => ({ id, method: 'query', params: { path: name, input } }));
      socket.send(JSON.stringify(calls));
    }
  }
  // Another caller is answered all the while.
  for (let i = 0; i < 20; i += 1) {
    const event = { id: randomUUID(), topic: 'plan.created', data: {} };
    expect(await call(core.adminToken, 'POST', '/v1/events', event)).toMatchObject({ duplicate: false });
  }
  for (const socket of sockets) socket.resume();
  for (const socket of webSockets) socket.resume();
  await expect.poll(async () => (await fetch(`${core.url}/healthz`)).status, { timeout: 20_000 }).toBe(200);
  expect(hasExited).toBe(false);
  expect(core.output()).not.toContain('heap');
});
