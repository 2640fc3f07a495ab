// Who may call the Architect over HTTP, and what it answers without a core.
import { startTestCore } from '@hypercode/core-runtime/testing';
import { freePort, waitFor } from '@hypercode/testkit';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { type Stack, startTestArchitect } from '../stage.ts';

const stack: Stack = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

test('an Architect without a core reports that it is neither healthy nor ready, until the core comes', async () => {
  const port = await freePort();
  const joinToken = 'a-join-token-of-the-test';
  const architect = await startTestArchitect(
    { SWARM_URL: `http://127.0.0.1:${port}`, SWARM_JOIN_TOKEN: joinToken },
    stack,
  );
  const answerOf = async (path: string): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`${architect.url}${path}`);
    return { status: response.status, body: await response.json() };
  };
  expect(await answerOf('/health')).toMatchObject({ status: 503, body: { status: 'unregistered', mode: 'active' } });
  expect(await answerOf('/ready')).toMatchObject({
    status: 503,
    body: { status: 'error', details: { swarm: { status: 'down' }, plans: { status: 'down' } } },
  });
  expect(await answerOf('/plans')).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE', retryable: true } });
  const core = await startTestCore({ port, joinToken });
  stack.push(() => core.close());
  await waitFor(async () => (await answerOf('/ready')).status === 200, { what: 'it to be ready', timeoutMs: 60_000 });
  expect(await answerOf('/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
});

test('an Architect with a token shows plans and takes goals only with that token', async () => {
  const architect = await startTestArchitect(
    {
      SWARM_URL: `http://127.0.0.1:${await freePort()}`,
      SWARM_JOIN_TOKEN: 'a-join-token-of-the-test',
      ARCHITECT_TOKEN: 'a-token-of-the-architect',
    },
    stack,
  );
  const answerOf = async (path: string, authorization?: string, method = 'GET'): Promise<string> => {
    const headers = authorization === undefined ? {} : { authorization };
    const response = await fetch(`${architect.url}${path}`, { method, headers });
    const { code } = Object(await response.json());
    return `${response.status} ${code} ${response.headers.get('www-authenticate')}`;
  };
  for (const authorization of [undefined, 'Bearer a-token-of-the-architecT', 'a-token-of-the-architect', 'Bearer ']) {
    expect(await answerOf('/plans', authorization)).toBe('401 UNAUTHENTICATED Bearer');
    expect(await answerOf('/plans/x/mermaid', authorization)).toBe('401 UNAUTHENTICATED Bearer');
    expect(await answerOf('/plans/x/cancel', authorization, 'POST')).toBe('401 UNAUTHENTICATED Bearer');
    expect(await answerOf('/goals', authorization, 'POST')).toBe('401 UNAUTHENTICATED Bearer');
  }
  expect(await answerOf('/plans', 'Bearer a-token-of-the-architect')).toBe('503 UNAVAILABLE null');
  expect(await answerOf('/goals', 'Bearer a-token-of-the-architect', 'POST')).toBe('400 INVALID_INPUT null');
  expect(await answerOf('/health')).toBe('503 undefined null');
});

test('an Architect without a token answers by an IP address or as localhost, and by no host name of a web page', async () => {
  const env = { SWARM_URL: `http://127.0.0.1:${await freePort()}`, SWARM_JOIN_TOKEN: 'a-join-token-of-the-test' };
  const architect = await startTestArchitect(env, stack);
  const answerTo = async (host: string, path = '/plans'): Promise<string> => {
    const asked = request(`${architect.url}${path}`, { headers: { host } }).end();
    const [response]: IncomingMessage[] = await once(asked, 'response');
    if (response === undefined) throw new Error('no response');
    const { code } = Object(await json(response));
    return `${response.statusCode} ${code} ${response.headers['content-type']}`;
  };
  const { host, port } = new URL(architect.url);
  for (const own of [host, `localhost:${port}`, 'LOCALHOST', '127.0.0.1', '[::1]:7710', '192.0.2.1']) {
    expect(await answerTo(own)).toBe('503 UNAVAILABLE application/problem+json');
  }
  for (const foreign of ['evil.example', `127.0.0.1.evil.example:${port}`, 'localhost.evil.example', 'a b', ':']) {
    expect(await answerTo(foreign)).toBe('403 FORBIDDEN application/problem+json');
  }
  expect(await answerTo('evil.example', '/health')).toContain('503 undefined');
  // What no handler is found for, since it can not be read, is refused as everything is.
  expect(await answerTo(host, '/plans/%E0%A4%A')).toBe('400 INVALID_INPUT application/problem+json');
});

test('a web page of another origin changes nothing, whatever its body is; a page of this origin and a program may', async () => {
  const env = { SWARM_URL: `http://127.0.0.1:${await freePort()}`, SWARM_JOIN_TOKEN: 'a-join-token-of-the-test' };
  const { url } = await startTestArchitect(env, stack);
  const page = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
  const answerOf = async (path: string, headers: Record<string, string>, init: RequestInit = {}): Promise<string> => {
    const response = await fetch(url + path, { method: 'POST', headers, ...init });
    return `${response.status} ${String(Object(await response.json()).code)}`;
  };
  const goal = JSON.stringify({ title: 'x', steps: [{ id: 'a', title: 'a', capability: 'work' }] });
  const asJson = { 'content-type': 'application/json' };
  expect(await answerOf('/plans/x/cancel', page)).toBe('403 FORBIDDEN');
  expect(await answerOf('/plans/x/cancel', { origin: 'null' })).toBe('403 FORBIDDEN');
  expect(await answerOf('/goals', { ...page, ...asJson }, { body: goal })).toBe('403 FORBIDDEN');
  expect(await answerOf('/goals', { ...page, 'content-type': 'text/plain' }, { body: goal })).toBe('403 FORBIDDEN');
  expect(await answerOf('/goals', page, { body: new Blob([goal]) })).toMatch(/^4/);
  // Without a core, what is let through is answered so.
  for (const own of [{}, { origin: url }, { origin: url, 'sec-fetch-site': 'same-origin' }]) {
    expect(await answerOf(`/plans/${crypto.randomUUID()}/cancel`, own)).toBe('503 UNAVAILABLE');
  }
});
