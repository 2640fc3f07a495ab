// Who calls is known from the head of a request: a caller without a valid token costs one lookup and one short answer.
import { RegisterResult, SwarmErrorBody } from '@hypercode/contracts';
import { createTRPCClient, httpBatchLink, httpLink, TRPCClientError } from '@trpc/client';
import type { AppRouter } from '@hypercode/server';
import { once } from 'node:events';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectProblem, sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';
import { head, openRaw, statusIn } from './raw-connection.ts';

const ADMIN = { name: 'test' };
const MIB = 1024 * 1024;
const ROUTES = ['/v1/events', '/v1/agents', '/trpc/bus.publish', '/trpc/bus.publish,bus.publish?batch=1', '/nowhere'];

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

describe.each(ROUTES)('POST %s without a valid token', (path) => {
  test.each([
    ['has a length', { 'content-length': 4 * MIB }],
    ['comes in chunks', { 'transfer-encoding': 'chunked' }],
  ])('is answered before its body, which %s, and the connection ends', async (_form, length) => {
    const request = head(`POST ${path}`, {
      'content-type': 'application/json',
      authorization: 'Bearer none',
      ...length,
    });
    const text = await openRaw(core.port, request).closed;
    expect(statusIn(text)).toBe(path === '/nowhere' ? 404 : 401);
    expect(text.toLowerCase()).toContain('connection: close');
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(text).toContain(path === '/nowhere' ? 'NOT_FOUND' : 'UNAUTHENTICATED');
  });
});

test('a client that sends a large body without a token reads the answer', async () => {
  const answer = await core.fetch('/trpc/bus.publish', { method: 'POST', token: null, json: 'x'.repeat(4 * MIB) });
  expect(answer.status).toBe(401);
});

test.each(['HEAD', 'GET', 'OPTIONS', 'DELETE'])('%s of a call without a token is refused', async (method) => {
  expect((await core.fetch('/trpc/registry.query', { method, token: null })).status).toBe(401);
});

test('with a valid token, an unknown procedure or method is refused as such', async () => {
  expect((await core.fetch('/trpc/nothing.here')).status).toBe(404);
  const answer = await core.fetch('/trpc/registry.query', { method: 'LINK' }).catch(() => null);
  expect(answer === null || answer.status >= 400).toBe(true);
});

describe('a batch without a valid token', () => {
  test('has one answer, however many calls it has', async () => {
    const answer = await core.fetch(`/trpc/${Array.from({ length: 500 }, () => 'bus.read').join(',')}?batch=1`, {
      token: 'unknown',
    });
    const text = await answer.text();
    expect(answer.status).toBe(401);
    expect(text.length).toBeLessThan(1000);
    expect(
      SwarmErrorBody.parse((JSON.parse(text) as { error: { data: { swarm: unknown } } }).error.data.swarm),
    ).toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });

  test.each([
    ['httpLink', httpLink],
    ['httpBatchLink', httpBatchLink],
  ])("tRPC's %s reads the refusal of each call", async (_name, link) => {
    const headers = { authorization: 'Bearer unknown', connection: 'close' };
    const client = createTRPCClient<AppRouter>({ links: [link({ url: `${core.url}/trpc`, headers })] });
    const outcomes = await Promise.allSettled([client.registry.query.query({}), client.bus.topics.query({})]);
    for (const outcome of outcomes) {
      const reason = outcome.status === 'rejected' ? (outcome.reason as unknown) : null;
      expect(reason).toBeInstanceOf(TRPCClientError);
      expect(reason).toMatchObject({ data: { httpStatus: 401, swarm: { code: 'UNAUTHENTICATED' } } });
    }
  });
});

describe('a token in the URL', () => {
  const params = () => `connectionParams=${encodeURIComponent(JSON.stringify({ token: core.adminToken }))}`;

  test.each([
    ['POST', 'bus.publish', { topic: 'a.b', data: 1 }],
    ['GET', 'registry.query', undefined],
  ])('does not count for %s of %s', async (method, path, json) => {
    const answer = await core.fetch(`/trpc/${path}?${params()}`, { method, token: null, json });
    expect(answer.status).toBe(401);
  });

  test('counts for a subscription, as the EventSource of a browser sets no headers', async () => {
    const gone = new AbortController();
    const answer = await core.fetch(`/trpc/registry.watch?${params()}`, { token: null, signal: gone.signal });
    const { value } = (await answer.body?.getReader().read()) ?? {};
    expect(Buffer.from(value ?? []).toString('utf8')).toContain('event: connected');
    gone.abort();
  });
});

test('a token that ends while the body is on its way makes no call', async () => {
  const namespace = core.freshNamespace();
  const { id, token } = await core.registry.tokens.create({ namespace, kind: 'operator', name: 'soon gone' }, ADMIN);
  const body = JSON.stringify({ namespace, topic: 'a.b', data: 1 });
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': body.length,
    connection: 'close',
  };
  const calls = ['/trpc/bus.publish', `/v1/events?namespace=${namespace}`].map((path) =>
    openRaw(core.port, head(`POST ${path}`, headers) + body.slice(0, 10)),
  );
  // By the time that these are answered, the core has read the heads.
  await Promise.all(calls.map(({ socket }) => once(socket, 'connect')));
  for (let asked = 0; asked < 2; asked += 1)
    expect((await core.fetch('/v1/whoami', { token, namespace })).status).toBe(200);
  await core.registry.tokens.revoke(namespace, id, ADMIN);
  for (const { socket, closed } of calls) {
    socket.write(body.slice(10));
    expect(statusIn(await closed)).toBe(401);
  }
  const reader = { kind: 'operator', name: 'admin', id: 'test', readOnly: true } as const;
  expect((await core.bus.read(reader, { namespace, topics: ['a.b'], limit: 10 })).events).toEqual([]);
});

test('a token that a newer process has superseded is refused as such, before the body', async () => {
  const registered = async () => {
    const json = { name: 'superseded', role: 'worker', version: '1.0.0', incarnation: crypto.randomUUID() };
    return RegisterResult.parse(await (await core.fetch('/v1/agents', { method: 'POST', json })).json()).token ?? '';
  };
  const [token] = [await registered(), await registered()];
  await expectProblem(
    await core.fetch('/v1/events', { method: 'POST', token, json: { topic: 'a', data: 1 } }),
    'FENCED',
  );
  const batch = await core.fetch('/trpc/bus.read,bus.read?batch=1', { token });
  expect(batch.status).toBe(409);
  expect(await batch.json()).toMatchObject({ error: { data: { swarm: { code: 'FENCED' } } } });
});

test('refusals without a token are logged once a second at most', async () => {
  const begun = core.log().length;
  await Promise.all(Array.from({ length: 20 }, () => core.fetch('/v1/agents', { token: null })));
  const lines = core
    .log()
    .slice(begun)
    .filter(({ msg }) => msg === 'callers without a valid token were refused');
  expect(lines.length).toBeLessThan(20);
});
