// What a hostile or broken client sends to `/mcp`.
import { RegisterResult } from '@hypercode/contracts';
import { request } from 'node:http';
import { beforeAll, expect, test } from 'vitest';
import { sharedCore, START_TIMEOUT_MS, startTestCore, type TestCore } from '../../testing/core.ts';
import { connectMcp } from './mcp-client.ts';

let core: TestCore;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

interface Sent {
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly method?: string;
  readonly token?: string | null;
}

/** As no library would send it: `fetch` sets its own host. */
const send = ({ headers = {}, body = '', method = 'POST', token = core.viewerToken }: Sent) =>
  new Promise<{ status: number; body: string }>((resolve, reject) => {
    const outgoing = request(
      `${core.url}/mcp`,
      {
        method,
        agent: false,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
      },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString() }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const listing = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: META } });
const MODERN = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };

test('a request as it should be is answered', async () => {
  expect(await send({ body: listing, headers: MODERN })).toMatchObject({ status: 200 });
});

test.each([
  ['of a host that is not this core', { headers: { ...MODERN, host: 'evil.example.com' } }, 403],
  ['of a page of another origin', { headers: { ...MODERN, origin: 'https://evil.example.com' } }, 403],
  ['without a token', { token: null, headers: MODERN }, 401],
  ['with a cookie in place of a token', { token: null, headers: { ...MODERN, cookie: 'swarm-session=abc' } }, 401],
  ['by GET', { method: 'GET', body: '' }, 405],
  ['by DELETE', { method: 'DELETE', body: '' }, 405],
  ['that is no JSON', { body: '{' }, 400],
  ['that is a batch', { body: `[${listing}]` }, 400],
  ['that is no object', { body: '7' }, 400],
  ['that is larger than any tool takes', { body: JSON.stringify({ a: 'x'.repeat(600 * 1024) }) }, 413],
  ['whose header names another method', { headers: { ...MODERN, 'mcp-method': 'tools/call' } }, 400],
  ['whose header names another protocol', { headers: { ...MODERN, 'mcp-protocol-version': '2025-11-25' } }, 400],
] as const)('a request %s is refused', async (_what, sent: Sent, status) => {
  const answer = await send({ body: listing, ...sent });
  expect(answer.status).toBe(status);
  // Nothing that the client sent comes back.
  expect(answer.body).not.toContain('evil');
});

test('a stream of changes is not opened, so nothing stays open', async () => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 'x', method: 'subscriptions/listen', params: { _meta: META } });
  const answer = await send({ body, headers: { ...MODERN, 'mcp-method': 'subscriptions/listen' } });
  expect(JSON.parse(answer.body)).toMatchObject({ id: 'x', error: { code: -32_601 } });
  expect(core.openStreams()).toBe(0);
});

test('a core that drains answers the calls that wait', async () => {
  const other = await startTestCore();
  const json = { name: 'waiter', role: 'worker', version: '1.0.0' };
  const { token } = RegisterResult.parse(await (await other.fetch('/v1/agents', { method: 'POST', json })).json());
  const { call } = await connectMcp(other, token ?? '');
  const waiting = call('wait_for_events', { topics: ['agent.waiter.inbox.>'], waitMs: 25_000 });
  waiting.catch(() => undefined);
  await expect.poll(() => other.openStreams()).toBe(1);
  await other.close();
  expect(await waiting).toMatchObject({ isError: false, data: { count: 0 } });
});

test('an agent has no more calls in flight than its limit', async () => {
  const other = await startTestCore({ streamsMax: 2 });
  try {
    const json = { name: 'many', role: 'worker', version: '1.0.0' };
    const { token } = RegisterResult.parse(await (await other.fetch('/v1/agents', { method: 'POST', json })).json());
    const { call } = await connectMcp(other, token ?? '');
    const wait = () => call('wait_for_events', { topics: ['agent.many.inbox.>'], waitMs: 25_000 });
    const waits = [wait(), wait()];
    await expect.poll(() => other.openStreams()).toBe(2);
    expect(await wait()).toMatchObject({
      isError: true,
      data: { error: { code: 'RATE_LIMITED', retryable: true, retryAfterMs: 1000 } },
    });
    await call('publish', { topic: 'agent.many.inbox.note', data: 1 });
    await Promise.all(waits);
  } finally {
    await other.close();
  }
});

test('a core without MCP has no such route', async () => {
  const other = await startTestCore({ mcp: false });
  try {
    expect((await other.fetch('/mcp', { method: 'POST', json: {} })).status).toBe(404);
  } finally {
    await other.close();
  }
});
