// Tokens on a whole core: made, listed and revoked over REST, and what bad ones end in on every transport.
import { CreateTokenResult, ListTokensResult, RegisterResult, TokenEventData } from '@hypercode/contracts';
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { expectProblem, sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';
import { restRoutes } from '@hypercode/server/testing';

let core: TestCore;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

const post = (path: string, json: unknown, token?: string | null) =>
  core.fetch(path, { method: 'POST', json, ...(token === undefined ? {} : { token }) });

async function create(fields: object, namespace = core.namespace): Promise<CreateTokenResult> {
  const json = { kind: 'join', name: 'a test', ...fields };
  const answer = await core.fetch('/v1/tokens', { namespace, method: 'POST', json });
  expect(answer.status).toBe(201);
  return CreateTokenResult.parse(await answer.json());
}

const listAll = async (namespace: string) =>
  ListTokensResult.parse(await (await core.fetch('/v1/tokens', { namespace })).json()).tokens;

/** Without the tokens of admins, which are in every list. */
const list = async (namespace: string) => (await listAll(namespace)).filter(({ kind }) => kind !== 'admin');

/** What the core publishes about tokens in a namespace from now on. */
function tokenEvents(namespace: string): { topic: string; source: string; data: unknown }[] {
  const received: { topic: string; source: string; data: unknown }[] = [];
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const caller = { kind: 'operator', name: 'eye', id: 'eye', readOnly: true } as const;
  const input = { namespace, topics: ['system.token.*'], from: 'earliest' as const, lastEventId: undefined };
  void (async () => {
    for await (const batch of core.bus.subscribe(caller, input, end.signal)) {
      for (const { event } of batch) if (event.type === 'event') received.push(event.event);
    }
  })();
  return received;
}

const registration = (name: string, role = 'worker') => ({ name, role, version: '1.0.0' });

async function agentToken(name: string, fields: object = {}): Promise<string> {
  const answer = await post('/v1/agents', { ...registration(name), ...fields });
  return RegisterResult.parse(await answer.json()).token ?? '';
}

describe('/v1/tokens', () => {
  it('makes, lists and revokes', async () => {
    const namespace = core.freshNamespace();
    const { id, token } = await create({ roles: ['worker'], maxUses: 2 }, namespace);
    const [listed] = await list(namespace);
    expect(listed).toMatchObject({ id, kind: 'join', namespace, roles: ['worker'], maxUses: 2, uses: 0 });
    expect(JSON.stringify(listed)).not.toContain(token);
    const revoke = () => core.fetch(`/v1/tokens/${id}`, { namespace, method: 'DELETE' });
    const revoked = await revoke();
    expect(revoked.status).toBe(200);
    expect(await revoked.json()).toEqual({ id });
    expect(await list(namespace)).toEqual([]);
    await expectProblem(await revoke(), 'NOT_FOUND');
  });

  it.each([
    [{}, 'kind'],
    [{ kind: 'agent', name: 'a' }, 'kind'],
    [{ kind: 'join' }, 'name'],
    [{ kind: 'join', name: '' }, 'name'],
    [{ kind: 'join', name: 'a\0' }, 'name'],
    [{ kind: 'join', name: 'x'.repeat(129) }, 'name'],
    [{ kind: 'viewer', name: 'a', maxUses: 1 }, 'kind'],
    [{ kind: 'join', name: 'a', maxUses: 0 }, 'maxUses'],
    [{ kind: 'join', name: 'a', roles: [] }, 'roles'],
    [{ kind: 'join', name: 'a', names: [] }, 'names'],
    [{ kind: 'join', name: 'a', names: ['ci*'] }, 'names.0'],
    [{ kind: 'join', name: 'a', names: ['*-ci'] }, 'names.0'],
    [{ kind: 'viewer', name: 'a', names: ['ci-*'] }, 'kind'],
    [{ kind: 'join', name: 'a', expiresInMs: 1e15 }, 'expiresInMs'],
    [[], ''],
  ])('refuses %j', async (body, path) => {
    const namespace = core.freshNamespace();
    const answer = await core.fetch('/v1/tokens', { namespace, method: 'POST', json: body });
    const problem = await expectProblem(answer, 'INVALID_INPUT');
    expect(problem.details).toContainEqual({ path, reason: expect.any(String) });
    expect(await list(namespace)).toEqual([]);
  });

  it('limits a join token to names, and names them in the refusal', async () => {
    const namespace = core.freshNamespace();
    const { id, token } = await create({ roles: ['worker'], names: ['ci-*', 'build'] }, namespace);
    expect((await list(namespace))[0]).toMatchObject({ id, roles: ['worker'], names: ['ci-*', 'build'] });
    const register = (name: string, role = 'worker') =>
      core.fetch('/v1/agents', { namespace, method: 'POST', json: registration(name, role), token });
    for (const name of ['ci-a', 'build']) expect((await register(name)).status).toBe(201);
    for (const name of ['ci', 'deploy', 'cia']) {
      expect((await expectProblem(await register(name), 'FORBIDDEN')).detail).toContain('ci-*, build');
    }
    await expectProblem(await register('ci-b', 'architect'), 'FORBIDDEN');
  });

  it('keeps a name for the limited token that registered it', async () => {
    const namespace = core.freshNamespace();
    const [own, other] = [
      await create({ roles: ['worker'] }, namespace),
      await create({ roles: ['worker'] }, namespace),
    ];
    const register = (token: string, fields: object = {}) =>
      core.fetch('/v1/agents', { namespace, method: 'POST', json: { ...registration('ada'), ...fields }, token });
    expect((await register(own.token)).status).toBe(201);
    const refused = await expectProblem(await register(other.token, { incarnation: randomUUID() }), 'FORBIDDEN');
    expect(refused.detail).toContain('belongs to another token');
    expect(refused.details).toBeUndefined();
    expect((await register(own.token, { incarnation: randomUUID() })).status).toBe(200);
    expect((await register(core.adminToken, { incarnation: randomUUID() })).status).toBe(200);
  });

  it('of admins are in the list of every namespace, and can be revoked there', async () => {
    const [here, there] = [core.freshNamespace(), core.freshNamespace()];
    const { id } = await create({ kind: 'admin', name: `root ${here}` }, here);
    expect(await listAll(there)).toContainEqual(expect.objectContaining({ id, kind: 'admin', namespace: null }));
    expect((await core.fetch(`/v1/tokens/${id}`, { namespace: there, method: 'DELETE' })).status).toBe(200);
    expect((await listAll(here)).map((one) => one.id)).not.toContain(id);
  });

  it('are announced on the bus when they are created and revoked, without the token', async () => {
    const namespace = core.freshNamespace();
    const [received, byDefault] = [tokenEvents(namespace), tokenEvents('default')];
    const join = await create({ name: 'ci', roles: ['worker'], names: ['ci-*'], expiresInMs: 60_000 }, namespace);
    const admin = await create({ kind: 'admin', name: `root ${namespace}` }, namespace);
    for (const { id } of [join, admin]) await core.fetch(`/v1/tokens/${id}`, { namespace, method: 'DELETE' });
    await vi.waitFor(() => expect(received).toHaveLength(4), 5000);
    const ids = received.map(({ topic, data }) => `${topic} ${TokenEventData.parse(data).id}`).toSorted();
    const expected = ['created', 'revoked'].flatMap((change) =>
      [join, admin].map(({ id }) => `system.token.${change} ${id}`),
    );
    expect(ids).toEqual(expected.toSorted());
    expect(received.map(({ data }) => data)).toContainEqual({
      id: join.id,
      kind: 'join',
      namespace,
      name: 'ci',
      roles: ['worker'],
      names: ['ci-*'],
      expiresAt: expect.any(String),
      by: '/operators/admin',
    });
    expect(new Set(received.map(({ source }) => source))).toEqual(new Set(['/core']));
    expect(JSON.stringify(received)).not.toContain(join.token.slice(-20));
    // No namespace hides the token of an admin.
    const inDefault = () => byDefault.map(({ data }) => TokenEventData.parse(data)).filter(({ id }) => id === admin.id);
    await vi.waitFor(() => expect(inDefault()).toHaveLength(2), 5000);
    expect(inDefault()[0]).toMatchObject({ kind: 'admin', namespace: null });
  });

  it('is for administrators', async () => {
    for (const token of [core.joinToken, core.viewerToken, await agentToken('not-an-admin')]) {
      await expectProblem(await post('/v1/tokens', { kind: 'viewer', name: 'a' }, token), 'FORBIDDEN');
      await expectProblem(await core.fetch('/v1/tokens', { token }), 'FORBIDDEN');
      await expectProblem(await core.fetch(`/v1/tokens/${randomUUID()}`, { method: 'DELETE', token }), 'FORBIDDEN');
    }
    await expectProblem(await core.fetch('/v1/tokens/no-uuid', { method: 'DELETE' }), 'INVALID_INPUT');
  });
});

/** Calls a procedure, and expects the refusal in tRPC's shape. */
async function expectTrpcRefusal(headers: Record<string, string>, code: string, httpStatus: number): Promise<void> {
  const answer = await core.fetch(
    `/trpc/registry.query?input=${encodeURIComponent(JSON.stringify({ namespace: core.namespace }))}`,
    { token: null, headers },
  );
  expect(answer.status).toBe(httpStatus);
  expect(await answer.json()).toMatchObject({ error: { data: { httpStatus, swarm: { code, retryable: false } } } });
}

describe('a bad token', () => {
  const minted = (prefix: string) => `${prefix}_${'A'.repeat(43)}`;

  it.each([
    ['none', undefined],
    ['empty', ''],
    ['of another scheme', 'Basic YTpi'],
    ['without a token', 'Bearer'],
    ['with a blank token', 'Bearer  '],
    ['with two tokens', 'Bearer a b'],
    ['unknown', 'Bearer nonsense'],
    ['well-formed and unknown', `Bearer ${minted('swadm')}`],
    ['of bytes beyond ASCII', 'Bearer t\u00f6ken'],
    ['enormous', `Bearer ${'x'.repeat(8000)}`],
  ])('%s is UNAUTHENTICATED everywhere', async (_label, authorization) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    for (const { method, path } of restRoutes) {
      const address = path.replaceAll(/\{\w+\}/g, 'a');
      await expectProblem(await core.fetch(address, { method, token: null, headers }), 'UNAUTHENTICATED');
    }
    await expectTrpcRefusal(headers, 'UNAUTHENTICATED', 401);
  });

  it('is known before the body is looked at', async () => {
    const answer = await core.fetch('/v1/agents', {
      method: 'POST',
      token: null,
      headers: { 'content-type': 'application/json' },
      body: '{broken',
    });
    await expectProblem(answer, 'UNAUTHENTICATED');
  });

  it('never reaches the log', async () => {
    const secret = minted('swview');
    await core.fetch(`/v1/agents?token=${secret}`, { token: secret });
    await core.fetch(`/trpc/registry.query?connectionParams=${encodeURIComponent(`{"token":"${secret}"}`)}`);
    expect(core.log().length).toBeGreaterThan(0);
    expect(JSON.stringify(core.log())).not.toContain(secret);
    expect(JSON.stringify(core.log())).not.toContain(core.joinToken);
  });

  it('revoked, expired or used up stops counting', async () => {
    const { id, token } = await create({ kind: 'viewer' });
    expect((await core.fetch('/v1/agents', { token })).status).toBe(200);
    await core.fetch(`/v1/tokens/${id}`, { method: 'DELETE' });
    await vi.waitFor(async () => expectProblem(await core.fetch('/v1/agents', { token }), 'UNAUTHENTICATED'), 5000);

    const brief = await create({ kind: 'viewer', expiresInMs: 1 });
    await vi.waitFor(
      async () => expectProblem(await core.fetch('/v1/agents', { token: brief.token }), 'UNAUTHENTICATED'),
      5000,
    );

    const once = await create({ maxUses: 1 });
    expect((await post('/v1/agents', registration('uses-a'), once.token)).status).toBe(201);
    expect((await post('/v1/agents', registration('uses-a'), once.token)).status).toBe(200);
    await expectProblem(await post('/v1/agents', registration('uses-b'), once.token), 'FORBIDDEN');
    await expectProblem(await core.fetch('/v1/agents/uses-b'), 'NOT_FOUND');
  });

  it('of a superseded process is FENCED, of a removed agent UNAUTHENTICATED', async () => {
    const older = await agentToken('fenced-a', { incarnation: randomUUID() });
    const newer = await agentToken('fenced-a', { incarnation: randomUUID() });
    await vi.waitFor(async () => expectProblem(await core.fetch('/v1/agents', { token: older }), 'FENCED'), 5000);
    await expectTrpcRefusal({ authorization: `Bearer ${older}` }, 'FENCED', 409);
    await core.fetch('/v1/agents/fenced-a', { method: 'DELETE' });
    await expectProblem(await core.fetch('/v1/agents', { token: newer }), 'UNAUTHENTICATED');
  });

  it('of another kind or namespace is FORBIDDEN', async () => {
    const token = await agentToken('scoped-a');
    const scoped = core.freshNamespace();
    const { token: viewer } = await create({ kind: 'viewer' }, scoped);
    const { token: join } = await create({ roles: ['worker'] }, scoped);
    const forbidden: [string, string, string, unknown?][] = [
      [token, 'GET', `/v1/agents?namespace=${scoped}`],
      [token, 'GET', `/v1/agents/watch?namespace=${scoped}`],
      [token, 'POST', '/v1/agents', registration('scoped-a')],
      [token, 'DELETE', '/v1/agents/someone-else'],
      [viewer, 'GET', '/v1/agents'],
      [viewer, 'GET', '/v1/agents/watch'],
      [viewer, 'GET', '/v1/agents/scoped-a/history'],
      [viewer, 'POST', `/v1/agents?namespace=${scoped}`, registration('scoped-b')],
      [viewer, 'PATCH', `/v1/agents/scoped-b?namespace=${scoped}`, { set: {} }],
      [viewer, 'POST', `/v1/agents/scoped-b/heartbeat?namespace=${scoped}`, {}],
      [join, 'GET', `/v1/agents?namespace=${scoped}`],
      [join, 'GET', `/v1/agents/watch?namespace=${scoped}`],
      [join, 'POST', '/v1/agents', registration('scoped-b')],
      [join, 'POST', `/v1/agents?namespace=${scoped}`, registration('scoped-b', 'boss')],
      [join, 'DELETE', '/v1/agents/scoped-a'],
    ];
    for (const [held, method, path, json] of forbidden) {
      const answer = await core.fetch(path, { method, token: held, ...(json === undefined ? {} : { json }) });
      await expectProblem(answer, 'FORBIDDEN');
    }
    expect((await core.fetch(`/v1/agents?namespace=${scoped}`, { token: viewer })).status).toBe(200);
    expect((await post(`/v1/agents?namespace=${scoped}`, registration('scoped-b'), join)).status).toBe(201);
  });
});
