// The agents' REST routes on a whole core: what each answers when all is well, and how each refuses.
import { Agent, HistoryResult, QueryResult, RegisterResult, UpdateResult } from '@hypercode/contracts';
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectProblem, sharedCore, START_TIMEOUT_MS, type TestCore, type TestRequest } from '../../testing/core.ts';

let core: TestCore;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

const registration = (name: string, fields: object = {}) => ({ name, role: 'worker', version: '1.0.0', ...fields });

async function register(
  name: string,
  fields: object = {},
  namespace = core.namespace,
): Promise<{ agent: Agent; token: string }> {
  const answer = await core.fetch('/v1/agents', { namespace, method: 'POST', json: registration(name, fields) });
  expect(answer.ok).toBe(true);
  const { agent, token = '' } = RegisterResult.parse(await answer.json());
  return { agent, token };
}

const send = (method: string, path: string, json?: unknown, options: TestRequest = {}) =>
  core.fetch(path, { method, ...(json === undefined ? {} : { json }), ...options });

describe('POST /v1/agents', () => {
  it('answers 201 with the address and a token, then 200', async () => {
    const created = await send('POST', '/v1/agents', registration('post-a'), { token: core.joinToken });
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe(`/v1/agents/post-a?namespace=${core.namespace}`);
    expect(created.headers.get('cache-control')).toBe('no-store');
    const first = RegisterResult.parse(await created.json());
    expect(first.outcome).toBe('created');
    expect(first.token).toMatch(/^swagent_/);

    const again = await send('POST', '/v1/agents', registration('post-a'), { token: core.joinToken });
    expect(again.status).toBe(200);
    const second = RegisterResult.parse(await again.json());
    expect(second).toMatchObject({ outcome: 'unchanged', agent: { revision: first.agent.revision } });

    const updated = await send('POST', '/v1/agents', registration('post-a', { version: '1.1.0' }));
    expect(updated.status).toBe(200);
    expect(await updated.json()).toMatchObject({ outcome: 'updated', agent: { version: '1.1.0' } });
  });

  it('takes the namespace from the query or from the body, and no contradiction', async () => {
    const namespace = core.freshNamespace();
    const named = registration('post-b', { namespace });
    const byQuery = await send('POST', '/v1/agents', registration('post-b'), { namespace });
    expect(byQuery.status).toBe(201);
    expect(byQuery.headers.get('location')).toBe(`/v1/agents/post-b?namespace=${namespace}`);
    expect(await byQuery.json()).toMatchObject({ agent: { namespace } });
    const byBody = await send('POST', '/v1/agents', named, { namespace: null });
    expect(await byBody.json()).toMatchObject({ outcome: 'unchanged', agent: { namespace } });
    const both = await send('POST', '/v1/agents', named, { namespace });
    expect(both.status).toBe(200);
    const contradiction = send('POST', '/v1/agents', registration('post-b', { namespace: 'default' }), { namespace });
    const problem = await expectProblem(await contradiction, 'INVALID_INPUT');
    expect(problem.details).toMatchObject([{ path: 'namespace' }]);
  });

  it('registers in the namespace "default" where neither names one', async () => {
    const name = core.freshNamespace();
    const answer = await send('POST', '/v1/agents', registration(name), { namespace: null });
    expect(answer.headers.get('location')).toBe(`/v1/agents/${name}`);
    expect(await answer.json()).toMatchObject({ agent: { namespace: 'default' } });
    await send('DELETE', `/v1/agents/${name}`, undefined, { namespace: null });
  });

  it('refuses another role, by the name of the field', async () => {
    await register('post-c');
    const answer = await send('POST', '/v1/agents', registration('post-c', { role: 'boss' }));
    const problem = await expectProblem(answer, 'IMMUTABLE_FIELD');
    expect(problem.details).toEqual({ field: 'role' });
  });

  it('refuses a superseded incarnation', async () => {
    const [older, newer] = [randomUUID(), randomUUID()];
    const { token } = await register('post-d', { incarnation: older });
    await register('post-d', { incarnation: newer });
    await expectProblem(await send('POST', '/v1/agents', registration('post-d', { incarnation: older })), 'FENCED');
    await expectProblem(await send('GET', '/v1/agents/post-d', undefined, { token }), 'FENCED');
  });
});

describe('GET /v1/agents', () => {
  let namespace: string;
  beforeAll(async () => {
    namespace = core.freshNamespace();
    await register('alpha', { labels: { zone: 'a', tier: '1' }, capabilities: ['plan'] }, namespace);
    await register('beta', { labels: { zone: 'a' }, topics: { subscribes: ['goal.*'] } }, namespace);
    await register('gamma', { role: 'other', description: 'weaves baskets', labels: { zone: 'b=c' } }, namespace);
  });

  const found = async (query: string): Promise<string[]> => {
    const answer = await send('GET', `/v1/agents?namespace=${namespace}&${query}`);
    expect(answer.status).toBe(200);
    return QueryResult.parse(await answer.json()).agents.map(({ name }) => name);
  };

  it.each([
    ['', ['alpha', 'beta', 'gamma']],
    ['role=other', ['gamma']],
    ['capability=plan', ['alpha']],
    ['topic=goal.submitted', ['beta']],
    ['health=unknown', ['alpha', 'beta', 'gamma']],
    ['health=healthy', []],
    ['circuit=closed&role=worker', ['alpha', 'beta']],
    ['labels=zone=a', ['alpha', 'beta']],
    ['labels=zone=a&labels=tier=1', ['alpha']],
    ['labels=zone%3Db%3Dc', ['gamma']],
    [`labels=${encodeURIComponent('{"zone":"a","tier":"1"}')}`, ['alpha']],
    ['text=basket', ['gamma']],
  ])('finds by %s', async (query, names) => {
    expect(await found(query)).toEqual(names);
  });

  it('goes on where a page ended', async () => {
    const first = QueryResult.parse(await (await send('GET', `/v1/agents?namespace=${namespace}&limit=2`)).json());
    expect(first.agents).toHaveLength(2);
    expect(await found(`limit=2&cursor=${first.nextCursor}`)).toEqual(['gamma']);
  });

  it.each([
    ['role=Not+a+name', 'role'],
    ['role=a&role=b', 'role'],
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=1e2', 'limit'],
    ['cursor=bogus', 'cursor'],
    ['cursor=', 'cursor'],
    ['health=fine', 'health'],
    ['topic=a.*', 'topic'],
    ['labels=zone', 'labels'],
    ['labels==a', 'labels'],
    ['labels=%7B', 'labels'],
    ['labels=a=1&labels=a=2', 'labels'],
    ['labels=%7B%22a%22:1%7D', 'labels.a'],
    ['labels=a=%00', 'labels.a'],
    ['text=', 'text'],
    ['text=%00', 'text'],
    [`text=${'x'.repeat(257)}`, 'text'],
    ['namespace=Other', 'namespace'],
  ])('refuses %s', async (query, path) => {
    const problem = await expectProblem(await send('GET', `/v1/agents?${query}`), 'INVALID_INPUT');
    expect(problem.details).toMatchObject([{ path }]);
  });
});

describe('GET /v1/agents/{name}', () => {
  it('answers the agent', async () => {
    const { agent } = await register('get-a');
    const answer = await send('GET', '/v1/agents/get-a', undefined, { token: core.viewerToken });
    expect(answer.status).toBe(200);
    expect(Agent.parse(await answer.json())).toEqual({ ...agent, status: expect.anything() });
    expect((await send('HEAD', '/v1/agents/get-a')).status).toBe(200);
  });

  it('refuses what is not there', async () => {
    await expectProblem(await send('GET', '/v1/agents/nobody'), 'NOT_FOUND');
    await expectProblem(await send('GET', '/v1/agents/get-a?namespace=elsewhere'), 'NOT_FOUND');
    await expectProblem(await send('GET', '/v1/agents/NOBODY'), 'INVALID_INPUT');
    await expectProblem(await send('GET', `/v1/agents/${'a'.repeat(5000)}`), 'INVALID_INPUT');
    await expectProblem(await send('GET', '/v1/agents/a%00b'), 'INVALID_INPUT');
    await expectProblem(await send('GET', '/v1/agents/a%2Fb'), 'INVALID_INPUT');
    await expectProblem(await send('GET', '/v1/agents/%ff'), 'INVALID_INPUT');
  });
});

describe('PATCH /v1/agents/{name}', () => {
  it('sets fields', async () => {
    const { agent } = await register('patch-a', { description: 'old', labels: { a: '1' } });
    const ifRevision = agent.specRevision;
    const path = '/v1/agents/patch-a';
    const answer = await send('PATCH', path, { set: { description: null, labels: { b: '2' } }, ifRevision });
    expect(answer.status).toBe(200);
    const updated = UpdateResult.parse(await answer.json()).agent;
    expect(updated).toMatchObject({ description: null, labels: { b: '2' } });
    await expectProblem(await send('PATCH', path, { set: { version: '2.0.0' }, ifRevision }), 'CONFLICT');
    await expectProblem(await send('PATCH', `${path}?ifRevision=1`, { set: {}, ifRevision: 2 }), 'INVALID_INPUT');
    const current = `${path}?ifRevision=${updated.specRevision}`;
    expect((await send('PATCH', current, { set: { version: '2.0.0' } })).status).toBe(200);
  });

  it('merges a body without set', async () => {
    const topics = { publishes: ['a'], subscribes: ['b'] };
    await register('patch-b', { description: 'old', capabilities: ['x'], labels: { a: '1', b: '2' }, topics });
    const patch = { version: '2.0.0', labels: { a: null, c: '3' }, topics: { publishes: null }, capabilities: null };
    const answer = await send('PATCH', '/v1/agents/patch-b', patch);
    expect(answer.status).toBe(200);
    expect(UpdateResult.parse(await answer.json()).agent).toMatchObject({
      version: '2.0.0',
      description: 'old',
      capabilities: [],
      labels: { b: '2', c: '3' },
      topics: { publishes: [], subscribes: ['b'] },
    });
    const cleared = await send('PATCH', '/v1/agents/patch-b', { labels: null, description: null });
    expect(UpdateResult.parse(await cleared.json()).agent).toMatchObject({ labels: {}, description: null });
  });

  it('merges every application/merge-patch+json, and none over a stale revision', async () => {
    const { agent } = await register('patch-c', { labels: { a: '1' } });
    const headers = { 'content-type': 'application/merge-patch+json' };
    const patch = (fields: object, query = '') =>
      core.fetch(`/v1/agents/patch-c${query}`, { method: 'PATCH', headers, body: JSON.stringify(fields) });
    await expectProblem(await patch({ set: { description: 'never' } }), 'INVALID_INPUT');
    const query = `?ifRevision=${agent.specRevision}`;
    expect((await patch({ labels: { b: '2' } }, query)).status).toBe(200);
    await expectProblem(await patch({ labels: { c: '3' } }, query), 'CONFLICT');
    await expectProblem(await patch({ labels: { c: '3' }, ifRevision: agent.specRevision }), 'CONFLICT');
    await expectProblem(await patch({ description: 'x', ifRevision: 'one' }), 'INVALID_INPUT');
  });

  it('loses no label when patches meet', async () => {
    await register('patch-d');
    const keys = Array.from({ length: 5 }, (_, index) => `k${index}`);
    const answers = await Promise.all(
      keys.map((key) => send('PATCH', '/v1/agents/patch-d', { labels: { [key]: key } })),
    );
    const taken = keys.filter((_, index) => answers[index]?.status === 200);
    const { labels } = Agent.parse(await (await send('GET', '/v1/agents/patch-d')).json());
    expect(Object.keys(labels)).toEqual(taken);
    expect(taken.length).toBeGreaterThan(0);
  });

  it.each([
    [{ role: 'boss' }, 'IMMUTABLE_FIELD'],
    [{ name: 'other' }, 'IMMUTABLE_FIELD'],
    [{ namespace: 'other' }, 'IMMUTABLE_FIELD'],
    [{ set: { role: 'boss' } }, 'IMMUTABLE_FIELD'],
    [{ set: {}, name: 'other' }, 'INVALID_INPUT'],
    [{ version: null }, 'INVALID_INPUT'],
    [{ labels: 'a' }, 'INVALID_INPUT'],
    [{ labels: { a: { b: 1 } } }, 'INVALID_INPUT'],
    [{ topics: { publishes: { a: 'b' } } }, 'INVALID_INPUT'],
    [[], 'INVALID_INPUT'],
    [null, 'INVALID_INPUT'],
    ['version', 'INVALID_INPUT'],
  ] as const)('refuses %j with %s', async (body, code) => {
    await register('patch-e');
    await expectProblem(await send('PATCH', '/v1/agents/patch-e', body), code);
    expect(await (await send('GET', '/v1/agents/patch-e')).json()).toMatchObject({ version: '1.0.0', role: 'worker' });
  });

  it('refuses what is not there, and who may not', async () => {
    const { token } = await register('patch-f');
    await expectProblem(await send('PATCH', '/v1/agents/nobody', { version: '2.0.0' }), 'NOT_FOUND');
    await expectProblem(await send('PATCH', '/v1/agents/nobody', { labels: { a: '1' } }), 'NOT_FOUND');
    const patch = { labels: { a: '1' } };
    await expectProblem(await send('PATCH', '/v1/agents/patch-a', patch, { token }), 'FORBIDDEN');
    await expectProblem(await send('PATCH', '/v1/agents/patch-f', patch, { token: core.viewerToken }), 'FORBIDDEN');
    expect((await send('PATCH', '/v1/agents/patch-f', patch, { token })).status).toBe(200);
  });
});

describe('DELETE /v1/agents/{name}', () => {
  it('removes the agent, says why, and ends its tokens', async () => {
    const { token } = await register('delete-a');
    const answer = await send('DELETE', '/v1/agents/delete-a?reason=done+here', undefined, { token });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ agent: { name: 'delete-a', status: { reason: 'done here' } } });
    await expectProblem(await send('GET', '/v1/agents/delete-a'), 'NOT_FOUND');
    await expectProblem(await send('GET', '/v1/agents/get-a', undefined, { token }), 'UNAUTHENTICATED');
    await expectProblem(await send('DELETE', '/v1/agents/delete-a'), 'NOT_FOUND');
    await expectProblem(await send('DELETE', `/v1/agents/a?reason=${'x'.repeat(1025)}`), 'INVALID_INPUT');
  });

  it('does not mind an empty body with a media type', async () => {
    await register('delete-b');
    const headers = { 'content-type': 'application/json' };
    expect((await core.fetch('/v1/agents/delete-b', { method: 'DELETE', headers })).status).toBe(200);
  });
});

describe('GET /v1/agents/{name}/history', () => {
  it('a history lists the changes, newest first, page by page', async () => {
    await register('history-a');
    await register('history-a', { version: '2.0.0' });
    await send('DELETE', '/v1/agents/history-a');
    const first = HistoryResult.parse(await (await send('GET', '/v1/agents/history-a/history?limit=2')).json());
    expect(first.changes.map(({ change }) => change)).toEqual(['deregistered', 'updated']);
    const path = `/v1/agents/history-a/history?limit=2&cursor=${first.nextCursor}`;
    const second = HistoryResult.parse(await (await send('GET', path)).json());
    expect(second.changes.map(({ change }) => change)).toEqual(['registered']);
    expect(second.nextCursor).toBeNull();
    await expectProblem(await send('GET', '/v1/agents/nobody/history'), 'NOT_FOUND');
    await expectProblem(await send('GET', '/v1/agents/history-a/history?cursor=eA'), 'INVALID_INPUT');
  });
});

describe('POST /v1/agents/{name}/heartbeat', () => {
  const beat = (name: string, token: string, json?: unknown) =>
    send('POST', `/v1/agents/${name}/heartbeat`, json, { token });

  it('renews the lease, with or without a body', async () => {
    const incarnation = randomUUID();
    const { token, agent } = await register('beat-a', { incarnation });
    const answer = await beat('beat-a', token);
    expect(answer.status).toBe(200);
    const lease = await answer.json();
    // The first beat makes the agent healthy.
    expect(lease).toMatchObject({ leaseMs: 30_000, revision: agent.revision + 1 });
    const busy = await beat('beat-a', token, { activity: 'busy', incarnation });
    expect(busy.status).toBe(200);
    expect(await (await send('GET', '/v1/agents/beat-a')).json()).toMatchObject({ status: { activity: 'busy' } });
  });

  it("takes nothing but the agent's own token", async () => {
    const { token } = await register('beat-b', { incarnation: randomUUID() });
    await expectProblem(await beat('beat-a', token), 'FORBIDDEN');
    await expectProblem(await beat('beat-b', core.joinToken), 'FORBIDDEN');
    await expectProblem(await send('POST', '/v1/agents/beat-b/heartbeat'), 'FORBIDDEN');
    await expectProblem(await send('POST', '/v1/agents/beat-b/heartbeat?namespace=x', {}, { token }), 'FORBIDDEN');
    await expectProblem(await beat('beat-b', 'nonsense'), 'UNAUTHENTICATED');
    await expectProblem(await beat('beat-b', token, { incarnation: randomUUID() }), 'FENCED');
    await expectProblem(await beat('beat-b', token, { activity: 'asleep' }), 'INVALID_INPUT');
    await expectProblem(await beat('beat-b', token, []), 'INVALID_INPUT');
    await expectProblem(await beat('BEAT B', token), 'FORBIDDEN');
  });
});
