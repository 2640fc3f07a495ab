// Sessions of browsers on a whole core: both secrets, from the page of the core alone, with the rights of the token and for no longer.
import { CreateTokenResult, SessionCodeResult, WhoamiResult } from '@hypercode/contracts';
import { waitFor } from '@hypercode/testkit';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { START_TIMEOUT_MS, startTestCore, type TestCore } from '../../testing/core.ts';
import {
  type BrowserSession,
  callOverWebSocket,
  freshAddress,
  type Headers,
  pageOf,
  send,
  signIn,
  withKey,
} from './browser.ts';

const ALLOWED = 'https://tools.example.com';
const PUBLIC = 'https://swarm.example.com';

let core: TestCore;
let session: BrowserSession;
beforeAll(async () => {
  core = await startTestCore({ corsOrigins: [ALLOWED], publicUrl: PUBLIC });
  session = await signIn(core, { token: core.adminToken });
}, START_TIMEOUT_MS);
afterAll(() => core.close());

const WATCH = `/trpc/registry.watch?input=${encodeURIComponent('{}')}`;
const SUBSCRIPTION = { method: 'subscription', params: { path: 'registry.watch', input: {} } };
const MUTATION = { method: 'mutation', params: { path: 'bus.publish', input: { topic: 'a.b', data: 1 } } };

/** A request of each transport. Answers with `ok`, or with the code of the refusal. */
const WAYS: Record<string, (headers: Headers, key: string | null) => Promise<string>> = {
  'a read over REST': async (headers, key) =>
    codeOf(await send(core, '/v1/agents', { headers: withHeader(headers, key) })),
  'a write over REST': async (headers, key) =>
    codeOf(
      await send(core, '/v1/events', {
        method: 'POST',
        json: { topic: 'a.b', data: 1 },
        headers: withHeader(headers, key),
      }),
    ),
  'a call over tRPC': async (headers, key) =>
    codeOf(await send(core, '/trpc/registry.query', { headers: withHeader(headers, key) })),
  'a batch over tRPC': async (headers, key) =>
    codeOf(
      await send(core, '/trpc/registry.query,whoami?batch=1', {
        method: 'POST',
        json: { 0: {}, 1: {} },
        headers: withHeader(headers, key),
      }),
    ),
  'a stream over REST': async (headers, key) =>
    codeOf(await send(core, '/v1/agents/watch', { headers: withHeader(headers, key), isStream: true })),
  'a stream over tRPC': async (headers, key) =>
    codeOf(await send(core, WATCH, { headers: withHeader(headers, key), isStream: true })),
  'a stream over tRPC with the key in its address': async (headers, key) => {
    const params = key === null ? '' : `&connectionParams=${encodeURIComponent(JSON.stringify({ session: key }))}`;
    return codeOf(await send(core, WATCH + params, { headers, isStream: true }));
  },
  'a stream over a WebSocket': async (headers, key) =>
    codeIn(
      await callOverWebSocket(core, { headers, params: key === null ? {} : { session: key }, call: SUBSCRIPTION }),
    ),
  'a write over a WebSocket': async (headers, key) =>
    codeIn(await callOverWebSocket(core, { headers, params: key === null ? {} : { session: key }, call: MUTATION })),
};

const withHeader = (headers: Headers, key: string | null): Headers =>
  key === null ? headers : { ...headers, 'swarm-session': key };
const codeOf = ({ status, text }: { status: number; text: string }): string =>
  status >= 200 && status < 300 ? codeIn(text) : codeIn(text, `HTTP ${status}`);
const codeIn = (text: string, otherwise = 'ok'): string =>
  /"code":"([A-Z_]+)","(?:message|retryable)"/.exec(text)?.[1] ?? (text.startsWith('HTTP') ? text : otherwise);

/** What a request has, and what must come of it. A WebSocket is refused with the upgrade or with its first call. */
const CASES: [string, (own: Headers, key: string) => [Headers, string | null], RegExp][] = [
  ['both secrets from the page of the core', (own, key) => [own, key], /^ok$/],
  ['an origin without fetch metadata', (own, key) => [{ ...own, 'sec-fetch-site': undefined }, key], /^ok$/],
  ['fetch metadata without an origin', (own, key) => [{ ...own, origin: undefined }, key], /^ok$/],
  ['the cookie alone', (own) => [own, null], /^UNAUTHENTICATED$/],
  ['the key alone', (own, key) => [{ ...own, cookie: undefined }, key], /^UNAUTHENTICATED$/],
  [
    'the cookie of nobody',
    (own, key) => [{ ...own, cookie: `swarm-session-${core.port}=${'a'.repeat(43)}` }, key],
    /^UNAUTHENTICATED$/,
  ],
  ['the key of nobody', (own) => [own, 'a'.repeat(43)], /^UNAUTHENTICATED$/],
  ['the cookie in place of the key', (own) => [own, session.cookie.split('=')[1] ?? ''], /^UNAUTHENTICATED$/],
  [
    'another origin',
    (own, key) => [{ ...own, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, key],
    /^(?:FORBIDDEN|HTTP 403)$/,
  ],
  [
    'another origin in an old browser',
    (own, key) => [{ ...own, origin: 'https://evil.example', 'sec-fetch-site': undefined }, key],
    /^(?:FORBIDDEN|HTTP 403)$/,
  ],
  [
    'another port of the same host',
    (own, key) => [{ ...own, origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' }, key],
    /^(?:FORBIDDEN|HTTP 403)$/,
  ],
  [
    'another port of the same host in an old browser',
    (own, key) => [{ ...own, origin: 'http://localhost:1', 'sec-fetch-site': undefined }, key],
    /^(?:FORBIDDEN|HTTP 403)$/,
  ],
  [
    'an origin that may call with a token',
    (own, key) => [{ ...own, origin: ALLOWED, 'sec-fetch-site': 'cross-site' }, key],
    /^(?:FORBIDDEN|HTTP 403)$/,
  ],
  [
    'a page in a sandbox',
    (own, key) => [{ ...own, origin: 'null', 'sec-fetch-site': 'cross-site' }, key],
    /^(?:FORBIDDEN|HTTP 403)$/,
  ],
  [
    "a stranger's host that leads here",
    (own, key) => [{ ...own, host: `evil.example:${core.port}`, origin: `http://evil.example:${core.port}` }, key],
    /^(?:FORBIDDEN|HTTP 403)$/,
  ],
  [
    'no origin at all',
    (own, key) => [{ ...own, origin: undefined, 'sec-fetch-site': undefined }, key],
    /^(?:FORBIDDEN|HTTP 403)$/,
  ],
  [
    'an address that the user typed',
    (own, key) => [{ ...own, origin: undefined, 'sec-fetch-site': 'none' }, key],
    /^(?:FORBIDDEN|HTTP 403)$/,
  ],
];

describe.each(CASES)('%s', (_case, make, expected) => {
  test.each(Object.entries(WAYS))('%s', async (_way, attempt) => {
    const [headers, key] = make(session.own, session.key);
    expect(await attempt(headers, key)).toMatch(expected);
  });
});

test('a token counts before a session, from wherever it comes', async () => {
  const headers = { authorization: `Bearer ${core.viewerToken}`, 'swarm-session': 'none', host: 'evil.example' };
  const answer = await send(core, '/v1/whoami', { headers });
  expect(WhoamiResult.parse(JSON.parse(answer.text)).kind).toBe('viewer');
  const bad = await send(core, '/v1/whoami', { headers: { ...withKey(session), authorization: 'Bearer unknown' } });
  expect(codeOf(bad)).toBe('UNAUTHENTICATED');
});

describe('signing in', () => {
  test('the cookie is for the core alone, and the answer is not stored', async () => {
    const { setCookie, expiresAt } = session;
    expect(setCookie).toMatch(
      new RegExp(`^swarm-session-${core.port}=[\\w-]{43}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict$`),
    );
    expect(Math.abs(Date.parse(expiresAt) - Date.now() - 12 * 3_600_000)).toBeLessThan(60_000);
    const whoami = WhoamiResult.parse(JSON.parse((await send(core, '/v1/whoami', { headers: withKey(session) })).text));
    expect(whoami).toMatchObject({ kind: 'admin', expiresAt });
  });

  test('over https the cookie is sent over https alone, and only this host can set it', async () => {
    const https = { host: 'swarm.example.com', origin: PUBLIC };
    const secure = await signIn(core, { token: core.adminToken }, https);
    expect(secure.setCookie).toMatch(
      /^__Host-swarm-session=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure$/,
    );
    expect(codeOf(await send(core, '/v1/agents', { headers: withKey(secure) }))).toBe('ok');
    const overHttp = { ...withKey(secure), origin: 'http://swarm.example.com' };
    expect(codeOf(await send(core, '/v1/agents', { headers: overHttp }))).toBe('FORBIDDEN');
  });

  test('a link signs in once, with the rights of its token', async () => {
    const made = await core.fetch('/v1/session/code', { method: 'POST', token: core.viewerToken });
    expect(made.status).toBe(201);
    const { url } = SessionCodeResult.parse(await made.json());
    expect(url).toMatch(/^https:\/\/swarm\.example\.com\/#code=[\w-]{22}$/);
    const code = new URL(url).hash.slice('#code='.length);
    const viewer = await signIn(core, { code });
    const whoami = await send(core, '/v1/whoami', { headers: withKey(viewer) });
    expect(WhoamiResult.parse(JSON.parse(whoami.text))).toMatchObject({ kind: 'viewer', name: 'viewer' });
    await expect(signIn(core, { code })).rejects.toThrow('UNAUTHENTICATED');
  });

  test.each([{}, { token: '' }, { code: 'short' }, { token: 'a', code: 'b' }, { token: 7 }, [], 'token'])(
    'with %j is refused as input',
    async (json) => {
      const answer = await send(core, '/v1/session', {
        method: 'POST',
        json,
        headers: pageOf(core),
        from: freshAddress(),
      });
      expect(codeOf(answer)).toBe('INVALID_INPUT');
    },
  );

  test('with a large body is refused before the body is read', async () => {
    const json = { token: 'a'.repeat(100_000) };
    expect(
      codeOf(await send(core, '/v1/session', { method: 'POST', json, headers: pageOf(core), from: freshAddress() })),
    ).toBe('PAYLOAD_TOO_LARGE');
  });

  test('is for the page of the core alone', async () => {
    const json = { token: core.adminToken };
    for (const headers of [
      { host: `localhost:${core.port}` },
      { ...pageOf(core), origin: ALLOWED, 'sec-fetch-site': 'cross-site' },
      { ...pageOf(core), origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' },
      { ...pageOf(core), host: 'evil.example', origin: 'http://evil.example' },
    ]) {
      const answer = await send(core, '/v1/session', { method: 'POST', json, headers });
      expect(codeOf(answer)).toBe('FORBIDDEN');
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
  });

  test('ten times a minute with a wrong secret closes the address, and no other', async () => {
    const from = freshAddress();
    const attempt = async (json: object, address = from) =>
      codeOf(await send(core, '/v1/session', { method: 'POST', json, headers: pageOf(core), from: address }));
    // What succeeds is not counted.
    for (let count = 0; count < 12; count += 1) expect(await attempt({ token: core.viewerToken })).toBe('ok');
    const wrong = await Promise.all(
      Array.from({ length: 15 }, (_, index) =>
        attempt(index % 2 === 0 ? { token: 'wrong' } : { code: 'a'.repeat(22) }),
      ),
    );
    expect(wrong.toSorted()).toEqual([
      ...Array<string>(5).fill('RATE_LIMITED'),
      ...Array<string>(10).fill('UNAUTHENTICATED'),
    ]);
    expect(await attempt({ token: core.viewerToken })).toBe('RATE_LIMITED');
    expect(await attempt({ token: core.viewerToken }, freshAddress())).toBe('ok');
  });

  test('a token makes ten links a minute', async () => {
    const { token } = CreateTokenResult.parse(
      await (
        await core.fetch('/v1/tokens', { method: 'POST', json: { kind: 'viewer', name: 'many' }, namespace: 'default' })
      ).json(),
    );
    const made = [];
    for (let count = 0; count < 11; count += 1)
      made.push((await core.fetch('/v1/session/code', { method: 'POST', token })).status);
    expect(made).toEqual([...Array<number>(10).fill(201), 429]);
  });

  test('nothing of a secret is logged', async () => {
    const log = JSON.stringify(core.log());
    for (const secret of [session.key, session.cookie.split('=')[1] ?? '', core.adminToken])
      expect(log).not.toContain(secret);
  });
});

describe('rights', () => {
  test("a viewer's session reads, and changes nothing", async () => {
    const viewer = withKey(await signIn(core, { token: core.viewerToken }));
    expect(codeOf(await send(core, '/v1/agents', { headers: viewer }))).toBe('ok');
    for (const [method, path, json] of [
      ['POST', '/v1/events', { topic: 'a.b', data: 1 }],
      ['PUT', '/v1/policy', {}],
      ['POST', '/v1/groups/g/pause', {}],
      ['POST', '/v1/tokens', { kind: 'admin', name: 'x' }],
    ] as const)
      expect(codeOf(await send(core, path, { method, json, headers: viewer }))).toBe('FORBIDDEN');
  });

  test('a session makes no link, so no one stays signed in by itself', async () => {
    const answer = await send(core, '/v1/session/code', { method: 'POST', headers: withKey(session) });
    expect(codeOf(answer)).toBe('FORBIDDEN');
  });

  test('links are recorded in the audit, without their code', async () => {
    const namespace = core.freshNamespace();
    await core.fetch('/v1/session/code', { method: 'POST', namespace });
    const { entries } = (await (await core.fetch(`/v1/audit?namespace=${namespace}`)).json()) as { entries: object[] };
    expect(entries).toMatchObject([
      { action: 'sessions.code', target: 'sessions', outcome: 'done', after: null },
      { action: 'sessions.code', target: 'sessions', outcome: 'begun' },
    ]);
  });

  test('a session of an agent is no sign of life of the agent', async () => {
    const { token = '', agent } = await core.registry.registrations.register(
      {
        namespace: 'default',
        name: `a-${randomUUID().slice(0, 8)}`,
        role: 'worker',
        version: '1',
        topics: { publishes: [], subscribes: [] },
        capabilities: [],
        labels: {},
      },
      { kind: 'admin', id: 'test', name: 'test' },
    );
    const own = await signIn(core, { token });
    const before = core.registry.identities.streaming().length;
    const { text } = await send(core, WATCH, { headers: withKey(own), isStream: true });
    expect(text).toContain(agent.name);
    expect(core.registry.identities.streaming().length).toBe(before);
  });
});

describe('the end', () => {
  const createToken = async (kind: string) => {
    const answer = await core.fetch('/v1/tokens', {
      method: 'POST',
      json: { kind, name: randomUUID() },
      namespace: 'default',
    });
    return CreateTokenResult.parse(await answer.json());
  };

  /** A stream of the session; settles with how it ended. */
  const openStream = (of: BrowserSession) => {
    let text = '';
    const ended = send(core, WATCH, { headers: withKey(of) }).then((answer) => (text = answer.text));
    return {
      ended,
      get text() {
        return text;
      },
    };
  };

  test('of the token is the end of its sessions and their streams', async () => {
    const { id, token } = await createToken('operator');
    const operator = await signIn(core, { token });
    const stream = openStream(operator);
    expect(codeOf(await send(core, '/v1/agents', { headers: withKey(operator) }))).toBe('ok');
    await waitFor(() => core.openStreams() > 0, { what: 'the stream' });
    await core.fetch(`/v1/tokens/${id}`, { method: 'DELETE', namespace: 'default' });
    expect(codeIn(await stream.ended)).toBe('UNAUTHENTICATED');
    expect(codeOf(await send(core, '/v1/agents', { headers: withKey(operator) }))).toBe('UNAUTHENTICATED');
    await expect(signIn(core, { token })).rejects.toThrow('UNAUTHENTICATED');
  });

  test('of a token is the end of its links', async () => {
    const { id, token } = await createToken('viewer');
    const made = await core.fetch('/v1/session/code', { method: 'POST', token });
    const { url } = SessionCodeResult.parse(await made.json());
    await core.fetch(`/v1/tokens/${id}`, { method: 'DELETE', namespace: 'default' });
    await expect(signIn(core, { code: new URL(url).hash.slice('#code='.length) })).rejects.toThrow('UNAUTHENTICATED');
  });

  test('by signing out ends the session and its streams, and removes the cookie', async () => {
    const mine = await signIn(core, { token: core.adminToken });
    const stream = openStream(mine);
    await waitFor(() => core.openStreams() > 0, { what: 'the stream' });
    const answer = await send(core, '/v1/session', { method: 'DELETE', headers: withKey(mine) });
    expect(answer.status).toBe(204);
    expect(answer.headers['set-cookie']).toEqual([
      `swarm-session-${core.port}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`,
    ]);
    expect(codeIn(await stream.ended)).toBe('UNAUTHENTICATED');
    expect(codeOf(await send(core, '/v1/agents', { headers: withKey(mine) }))).toBe('UNAUTHENTICATED');
    expect(codeOf(await send(core, '/v1/agents', { headers: withKey(session) }))).toBe('ok');
  });

  test('of one tab leaves the others signed in', async () => {
    const first = await signIn(core, { token: core.adminToken });
    const second = await signIn(core, { token: core.viewerToken }, { cookie: first.cookie });
    expect(second.cookie).toBe(first.cookie);
    expect(codeOf(await send(core, '/v1/agents', { headers: withKey(first) }))).toBe('ok');
    const answer = await send(core, '/v1/session', { method: 'DELETE', headers: withKey(second) });
    expect([answer.status, answer.headers['set-cookie']]).toEqual([204, undefined]);
    expect(codeOf(await send(core, '/v1/agents', { headers: withKey(first) }))).toBe('ok');
  });

  test('is not reached by another origin, nor without the key', async () => {
    const evil = { ...withKey(session), origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' };
    expect(codeOf(await send(core, '/v1/session', { method: 'DELETE', headers: evil }))).toBe('FORBIDDEN');
    expect(codeOf(await send(core, '/v1/session', { method: 'DELETE', headers: session.own }))).toBe('UNAUTHENTICATED');
  });
});
