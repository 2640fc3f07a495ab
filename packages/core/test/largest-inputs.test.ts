// What the limits allow goes through every door: 117 tools of an MCP server, 64 patterns of 255 characters, 32 labels of 256.
import { type AgentSummary, LIMITS, type QueryResult, RegisterResult } from '@hypercode/contracts';
import { createTRPCClient, createWSClient, httpLink, wsLink } from '@trpc/client';
import type { AppRouter } from '@hypercode/server';
import { EventSource } from 'eventsource';
import { request } from 'node:http';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { expectProblem, sharedCore, START_TIMEOUT_MS, type TestCore } from '../testing/core.ts';
import { framesOf } from './frames.ts';
import { GITHUB_TOOLS } from './github-tools.ts';

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

const PATTERNS = Array.from({ length: LIMITS.subscribedPatterns }, (_, index) =>
  `${'t'.repeat(60)}.${'u'.repeat(60)}.${'v'.repeat(60)}.p${index}.`.padEnd(LIMITS.topicLength, 'w'),
);
/** Far too long for an address: each character has nine there. */
const LABELS = Object.fromEntries(
  Array.from({ length: LIMITS.labels }, (_, index) => [`l-${index}`, '漢'.repeat(LIMITS.labelValueLength)]),
);
/** As a program writes them that escapes everything beyond ASCII. */
const escaped = (value: unknown): string =>
  JSON.stringify(value).replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

const bearer = () => ({ authorization: `Bearer ${core.adminToken}` });

function overWebSocket() {
  const url = `${core.url.replace('http', 'ws')}/trpc`;
  const socket = createWSClient({
    url,
    WebSocket: WebSocket as never,
    connectionParams: { token: core.adminToken },
  });
  onTestFinished(() => void socket.close());
  return createTRPCClient<AppRouter>({ links: [wsLink({ client: socket })] });
}

const byPost = () =>
  createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${core.url}/trpc`, headers: bearer, methodOverride: 'POST' })],
  });

/** The first event of a stream that is opened by POST. */
async function firstOf(path: string, body: string): Promise<unknown> {
  const gone = new AbortController();
  const answer = await core.fetch(path, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
    signal: gone.signal,
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const first = path.startsWith('/trpc') ? await firstOfTrpc(answer) : (await framesOf(answer).next()).value?.data;
  gone.abort();
  return first;
}

async function nextChange(frames: ReturnType<typeof framesOf>): Promise<unknown> {
  for await (const { event, data } of frames) if (event === 'change') return data;
  throw new Error('the stream has ended');
}

async function firstOfTrpc(answer: Response): Promise<unknown> {
  let text = '';
  for await (const part of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    const data = /(?:^|\n\n\n|serialized-error\n)data: (\{.*\})\n/.exec(text)?.[1];
    if (data !== undefined) return JSON.parse(data);
  }
  throw new Error(`the stream has ended: ${text}`);
}

const WAYS: Readonly<Record<string, (name: string, namespace: string) => Promise<unknown>>> = {
  REST: async (name, namespace) =>
    RegisterResult.parse(
      await (await core.fetch('/v1/agents', { namespace, method: 'POST', json: withTools(name) })).json(),
    ),
  tRPC: (name, namespace) => byPost().registry.register.mutate({ ...withTools(name), namespace }),
  WebSocket: (name, namespace) => overWebSocket().registry.register.mutate({ ...withTools(name), namespace }),
};
const withTools = (name: string) => ({ name, role: 'tool-server', version: '1.0.0', capabilities: GITHUB_TOOLS });

describe.each(Object.entries(WAYS))('over %s', (_way, registered) => {
  test('the 117 tools of an MCP server register, and each is found by its name', async () => {
    const namespace = core.freshNamespace();
    expect(await registered('hub', namespace)).toMatchObject({
      outcome: 'created',
      agent: { capabilities: GITHUB_TOOLS },
    });
    const { agents } = await byPost().registry.query.query({ namespace, capability: 'create_pull_request' });
    expect(agents[0]?.capabilities).toEqual(GITHUB_TOOLS);
    const none = await byPost().registry.query.query({ namespace, capability: 'Create_Pull_Request' });
    expect(none.agents).toEqual([]);
  });

  test('a policy names tools, and one that is not offered is refused', async () => {
    const namespace = core.freshNamespace();
    const open = { publish: [], subscribe: [] };
    const json = { roles: { 'tool-server': { ...open, offers: ['get_*', 'list_*', 'Pulls.v2'] } }, default: open };
    expect((await core.fetch('/v1/policy', { namespace, method: 'PUT', json })).status).toBe(200);
    const refused = registered('hub', namespace);
    await expect(refused).rejects.toThrow();
    const few = { ...withTools('hub'), capabilities: ['get_me', 'list_tags', 'Pulls.v2'] };
    expect((await core.fetch('/v1/agents', { namespace, method: 'POST', json: few })).status).toBe(201);
  });
});

describe('a summary', () => {
  test.each<[string, (namespace: string) => Promise<unknown>]>([
    ['GET', async (namespace) => (await core.fetch('/v1/agents?view=summary', { namespace })).json()],
    [
      'POST',
      async (namespace) =>
        (await core.fetch('/v1/agents/query', { namespace, method: 'POST', json: { view: 'summary' } })).json(),
    ],
    ['tRPC', (namespace) => byPost().registry.query.query({ namespace, view: 'summary' })],
  ])('has ids and tags, and no topics: %s', async (_way, ask) => {
    const namespace = core.freshNamespace();
    await WAYS['REST']?.('hub', namespace);
    const { agents } = (await ask(namespace)) as QueryResult;
    expect(agents[0]?.capabilities).toEqual(GITHUB_TOOLS.map(({ id, tags }) => ({ id, tags })));
    expect(agents[0]).not.toHaveProperty('topics');
    expect(agents[0]).toMatchObject({ name: 'hub', status: { health: expect.any(String) } });
  });

  test('is what a watch sends that asks for it, and a change has as little', async () => {
    const namespace = core.freshNamespace();
    await WAYS['REST']?.('hub', namespace);
    const gone = new AbortController();
    onTestFinished(() => gone.abort());
    const frames = framesOf(await core.fetch('/v1/agents/watch?view=summary', { namespace, signal: gone.signal }));
    const snapshot = (await frames.next()).value?.data as { agents: AgentSummary[] };
    expect(snapshot.agents[0]?.capabilities[0]).toEqual({ id: 'list_workflows', tags: ['actions'] });
    expect((await frames.next()).value).toMatchObject({ event: 'synced' });
    await core.fetch('/v1/agents', { namespace, method: 'POST', json: { ...withTools('hub'), version: '2.0.0' } });
    const change = await nextChange(frames);
    expect(change).toMatchObject({ type: 'change', agent: { version: '2.0.0' } });
    expect(JSON.stringify(change)).not.toMatch(/topics|inputSchema|description":"[a-z]/);
  });
});

describe('64 patterns of 255 characters', () => {
  test('are taken in an address, also by an EventSource', async () => {
    expect(PATTERNS[0]).toHaveLength(255);
    const query = PATTERNS.map((pattern) => `topics=${pattern}`).join('&');
    expect((await core.fetch(`/v1/events?${query}`)).status).toBe(200);
    const params = new URLSearchParams({
      input: JSON.stringify({ namespace: core.namespace, topics: PATTERNS }),
      connectionParams: JSON.stringify({ token: core.adminToken }),
    });
    const source = new EventSource(`${core.url}/trpc/bus.subscribe?${params.toString()}`);
    onTestFinished(() => source.close());
    const received: string[] = [];
    source.addEventListener('message', ({ data }: { data: string }) => received.push(data));
    await vi.waitFor(() => expect(received[0]).toContain('"bookmark"'));
  });

  test.each([
    ['/v1/events/query', { end: true }],
    ['/trpc/bus.read', { result: { data: { end: true } } }],
  ])('are taken in the body of POST %s', async (path, expected) => {
    const answer = await core.fetch(path, { method: 'POST', json: { topics: PATTERNS } });
    expect(await answer.json()).toMatchObject(expected);
  });

  test.each([
    ['/v1/events/stream', {}],
    ['/trpc/bus.subscribe', {}],
    ['/trpc/bus.consume', { group: 'long' }],
  ])('are taken in the body of the stream POST %s', async (path, fields) => {
    const body = JSON.stringify({ topics: PATTERNS, ...fields });
    expect(await firstOf(path, body)).toMatchObject({ type: 'group' in fields ? 'joined' : 'bookmark' });
    await vi.waitFor(() => expect(core.openStreams()).toBe(0));
  });
});

describe('32 labels of 256 characters beyond ASCII', () => {
  test.each(['/v1/agents/query', '/trpc/registry.query'])('are taken by POST %s', async (path) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await core.fetch(path, { method: 'POST', headers, body: escaped({ labels: LABELS }) });
    expect(answer.status).toBe(200);
  });

  test.each(['/v1/agents/watch', '/trpc/registry.watch'])('are taken by the stream POST %s', async (path) => {
    const body = escaped({ labels: LABELS, view: 'summary' });
    expect(await firstOf(path, body)).toMatchObject({ type: 'snapshot', agents: [] });
  });

  test('are taken over a WebSocket', async () => {
    const types: string[] = [];
    const input = { namespace: core.namespace, labels: LABELS };
    const { unsubscribe } = overWebSocket().registry.watch.subscribe(input, {
      onData: ({ data }) => types.push(data.type),
    });
    await vi.waitFor(() => expect(types.slice(0, 2)).toEqual(['snapshot', 'synced']));
    unsubscribe();
  });
});

describe('a stream by POST', () => {
  test('resumes, from the header or from the address', async () => {
    const namespace = core.freshNamespace();
    await core.fetch('/v1/agents', { namespace, method: 'POST', json: { name: 'a', role: 'b', version: '1.0.0' } });
    const options = { namespace, method: 'POST', json: {} };
    for (const [path, headers] of [
      ['/v1/agents/watch', { 'last-event-id': '0' }],
      ['/v1/agents/watch?lastEventId=0', {}],
    ] as const) {
      const gone = new AbortController();
      const answer = await core.fetch(path, { ...options, headers, signal: gone.signal });
      expect((await framesOf(answer).next()).value?.data).toMatchObject({ type: 'change', change: 'registered' });
      gone.abort();
    }
  });

  test('is refused as others are: by an answer over REST, in the stream over tRPC', async () => {
    const topics = ['a.>.b'];
    await expectProblem(await core.fetch('/v1/events/stream', { method: 'POST', json: { topics } }), 'INVALID_INPUT');
    await expectProblem(
      await core.fetch('/v1/events/stream', { token: 'unknown', method: 'POST', json: { topics } }),
      'UNAUTHENTICATED',
    );
    expect(await firstOf('/trpc/bus.subscribe', JSON.stringify({ topics }))).toMatchObject({
      data: { swarm: { code: 'INVALID_INPUT' } },
    });
    const unknown = await core.fetch('/trpc/bus.subscribe', { token: 'unknown', method: 'POST', json: { topics } });
    expect([unknown.status, await unknown.json()]).toMatchObject([
      401,
      { error: { data: { swarm: { code: 'UNAUTHENTICATED' } } } },
    ]);
  });

  test('a body that is too large is refused with its limit', async () => {
    const json = { topics: ['a'], unknown: 'x'.repeat(LIMITS.inputBytes) };
    const answer = await core.fetch('/v1/events/stream', { method: 'POST', json });
    expect(await expectProblem(answer, 'PAYLOAD_TOO_LARGE')).toMatchObject({ details: { limit: 131_072 } });
  });
});

test('an address that is too long is refused with the limit, and says what to do', async () => {
  const answer = await new Promise<string>((resolve, reject) => {
    const sent = request(`${core.url}/v1/agents?text=${'x'.repeat(40_000)}`, { headers: bearer() }, (response) => {
      expect(response.statusCode).toBe(431);
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part)).on('end', () => resolve(text));
    });
    sent.on('error', reject).end();
  });
  expect(JSON.parse(answer)).toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
    detail: expect.stringContaining('POST'),
    details: { limit: 32_768 },
  });
});

test('the largest list of events and the largest registration go over a WebSocket', async () => {
  const namespace = core.freshNamespace();
  const client = overWebSocket();
  const events = Array.from({ length: 20 }, () => ({ topic: 'a.b', data: 'x'.repeat(200_000) }));
  const { results } = await client.bus.publishMany.mutate({ namespace, events });
  expect(results.map((result) => 'position' in result)).toEqual(events.map(() => true));
  const schema = { description: 'x'.repeat(LIMITS.registrationBytes - 1000) };
  const capabilities = [{ id: 'a', inputSchema: schema }];
  const large = { namespace, name: 'large', role: 'worker', version: '1.0.0', capabilities };
  expect(await client.registry.register.mutate(large)).toMatchObject({ outcome: 'created' });
});
