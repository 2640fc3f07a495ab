// What pages of other origins send, and names that reach the prototypes of objects, change nothing.
import { QueryResult } from '@hypercode/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { expectProblem, START_TIMEOUT_MS, startTestCore, type TestCore } from '../../testing/core.ts';

const ALLOWED = 'https://dashboard.example.com';
let core: TestCore;
beforeAll(async () => {
  core = await startTestCore({ corsOrigins: [ALLOWED] });
}, START_TIMEOUT_MS);
afterAll(() => core.close());

const AGENT = { name: 'a', role: 'worker', version: '1.0.0' };
const EVIL: Record<string, string>[] = [
  { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  { origin: 'null' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'cross-site' },
];

describe.each(EVIL)('a page of another origin (%o)', (headers) => {
  test.each([
    ['POST', '/v1/agents', JSON.stringify(AGENT), 'application/json'],
    ['POST', '/v1/agents', JSON.stringify(AGENT), 'text/plain'],
    ['POST', '/v1/circuits', undefined, undefined],
    ['DELETE', '/v1/agents/a', undefined, undefined],
    ['PATCH', '/v1/agents/a', '{}', 'application/json'],
    ['PUT', '/v1/policy', '{}', 'application/json'],
  ])('may not %s %s', async (method, path, body, mediaType) => {
    const type: Record<string, string> = mediaType === undefined ? {} : { 'content-type': mediaType };
    const answer = await core.fetch(path, {
      method,
      headers: { ...headers, ...type },
      ...(body === undefined ? {} : { body }),
    });
    await expectProblem(answer, 'FORBIDDEN');
  });

  test('may not call over tRPC, nor learn whether its token is valid', async () => {
    for (const token of [core.adminToken, null]) {
      const answer = await core.fetch('/trpc/registry.register', { method: 'POST', token, json: AGENT, headers });
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ error: { data: { swarm: { code: 'FORBIDDEN' } } } });
    }
  });

  test('may read with a token', async () => {
    const answer = await core.fetch('/v1/agents', { headers });
    expect(QueryResult.parse(await answer.json()).agents).toEqual([]);
  });
});

test('a page of the core, one of an allowed origin, and a program may change something', async () => {
  for (const headers of [
    {},
    { origin: core.url, 'sec-fetch-site': 'same-origin' },
    { origin: ALLOWED, 'sec-fetch-site': 'cross-site' },
  ]) {
    const answer = await core.fetch('/v1/events', { method: 'POST', json: { topic: 'a.b', data: 1 }, headers });
    expect(answer.status).toBe(200);
  }
});

test('a page of an allowed origin reads why it was refused', async () => {
  const answer = await core.fetch('/v1/events', {
    method: 'POST',
    token: null,
    json: {},
    headers: { origin: ALLOWED },
  });
  expect(answer.status).toBe(401);
  expect(answer.headers.get('access-control-allow-origin')).toBe(ALLOWED);
});

describe('the name __proto__', () => {
  const named = (text: string) => text.replace('"here"', '"__proto__"');
  const post = (path: string, body: string) =>
    core.fetch(path, { method: 'POST', body: named(body), headers: { 'content-type': 'application/json' } });

  test.each([
    ['/v1/agents', '{"name":"n","role":"worker","version":"1.0.0","labels":{"here":"x"}}'],
    ['/v1/agents', '{"name":"n","role":"worker","version":"1.0.0","here":{"role":"coder"}}'],
    ['/v1/events', '{"topic":"a.b","data":{"a":[{"here":{"polluted":1}}]}}'],
    ['/v1/events', '[{"topic":"a.b","data":{"constructor":{"prototype":{"polluted":1}}}}]'],
    ['/trpc/registry.register', '{"name":"n","role":"worker","version":"1.0.0","labels":{"here":"x"}}'],
    ['/trpc/bus.publish', '{"topic":"a.b","data":{"here":1}}'],
    ['/trpc/bus.publish,bus.publish?batch=1', '{"0":{"topic":"a.b","data":1},"1":{"topic":"a.b","data":{"here":1}}}'],
  ])('is refused in the body of %s: %s', async (path, body) => {
    const answer = await post(path, body);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('INVALID_INPUT');
  });

  test('is refused as a role of a policy and as a label of a merge patch', async () => {
    const roles =
      '{"policy":{"roles":{"here":{"publish":[">"],"subscribe":[">"]}},"default":{"publish":[],"subscribe":[]}}}';
    for (const [method, path, body, type] of [
      ['PUT', '/v1/policy', roles, 'application/json'],
      ['PATCH', '/v1/agents/a', '{"labels":{"here":{"a":"b"}}}', 'application/merge-patch+json'],
    ] as const) {
      const answer = await core.fetch(path, { method, body: named(body), headers: { 'content-type': type } });
      await expectProblem(answer, 'INVALID_INPUT');
    }
  });

  test.each([
    '/v1/agents?__proto__=x',
    '/v1/agents?%5F_proto__=x',
    '/v1/agents?labels=__proto__%3Dx',
    `/v1/agents?labels=${encodeURIComponent('{"__proto__":"x"}')}`,
    '/v1/agents/__proto__',
    '/v1/groups/__proto__/dead-letters',
    `/trpc/registry.query?input=${encodeURIComponent('{"labels":{"__proto__":"x"}}')}`,
    `/trpc/registry.query?__proto__=x`,
  ])('is refused in %s', async (path) => {
    const answer = await core.fetch(path);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('INVALID_INPUT');
  });

  test('is refused in the input of a stream, and in a message of a WebSocket', async () => {
    const input = encodeURIComponent('{"labels":{"__proto__":"x"}}');
    expect(await (await core.fetch(`/trpc/registry.watch?input=${input}`)).text()).toContain('INVALID_INPUT');
    const socket = new WebSocket(`${core.url.replace('http', 'ws')}/trpc`, {
      headers: { authorization: `Bearer ${core.adminToken}` },
    });
    await once(socket, 'open');
    socket.send(
      '{"id":1,"method":"mutation","params":{"path":"bus.publish","input":{"topic":"a.b","data":{"__proto__":1}}}}',
    );
    const [answer] = (await once(socket, 'message')) as [Buffer];
    expect(answer.toString('utf8')).toContain('INVALID_INPUT');
    socket.terminate();
  });

  test('changes no object, and a role named constructor has the rights of no other', async () => {
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const json = { name: 'builder', role: 'constructor', version: '1.0.0' };
    const { token = null } = (await (await core.fetch('/v1/agents', { method: 'POST', json })).json()) as {
      token?: string;
    };
    const answer = await core.fetch('/v1/events', {
      method: 'POST',
      token,
      json: { topic: 'goal.submitted', data: 1 },
    });
    await expectProblem(answer, 'ACL_DENIED');
  });
});
