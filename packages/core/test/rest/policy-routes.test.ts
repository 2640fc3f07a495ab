// The policies' REST routes on a whole core: read, replaced, explained, and how each refuses.
import { ChangedPolicy, Policy, PolicyExplanation, PolicyHistory, RegisterResult } from '@hypercode/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectProblem, sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';

let core: TestCore;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

const path = (namespace: string) => `/v1/policy?namespace=${namespace}`;
const put = (namespace: string, json: unknown, token?: string) =>
  core.fetch(path(namespace), { method: 'PUT', json, ...(token === undefined ? {} : { token }) });
const get = async (namespace: string) =>
  Policy.parse(await (await core.fetch(path(namespace), { token: core.viewerToken })).json());

async function agentToken(namespace: string, name: string): Promise<string> {
  const json = { name, role: 'worker', version: '1.0.0' };
  const answer = await core.fetch('/v1/agents', { namespace, method: 'POST', json });
  return RegisterResult.parse(await answer.json()).token ?? '';
}

const nothing = { publish: [], subscribe: [] };
const rules = { roles: { worker: { ...nothing, publish: ['news.{name}'] } }, default: nothing };
/** As they are stored: groups of a role that names none. */
const stored = {
  roles: { worker: { ...rules.roles.worker, consume: ['{name}', '{role}', '{role}-*'] } },
  default: { ...nothing, consume: [] },
};

describe('/v1/policy', () => {
  it('is the one that ships with the product, until it is replaced', async () => {
    const namespace = core.freshNamespace();
    const shipped = await get(namespace);
    expect(shipped.version).toBe(0);
    expect(Object.keys(shipped.roles)).toContain('worker');

    const answer = await put(namespace, { policy: { ...shipped, ...rules }, ifVersion: 0 });
    expect(answer.status).toBe(200);
    expect(Policy.parse(await answer.json())).toEqual({ version: 1, ...stored });
    expect(await get(namespace)).toEqual({ version: 1, ...stored });
    expect(await get(core.freshNamespace())).toEqual(shipped);

    await expectProblem(await put(namespace, { policy: shipped, ifVersion: 0 }), 'CONFLICT');
    expect(Policy.parse(await (await put(namespace, { policy: shipped })).json())).toEqual({ ...shipped, version: 2 });
  });

  it('is in force with the answer', async () => {
    const namespace = core.freshNamespace();
    const token = await agentToken(namespace, 'teller');
    const publish = () =>
      core.fetch('/v1/events', { namespace, method: 'POST', token, json: { topic: 'news.teller', data: 1 } });
    await expectProblem(await publish(), 'ACL_DENIED');
    await put(namespace, { policy: rules });
    expect((await publish()).status).toBe(200);
    await put(namespace, { policy: { roles: {}, default: nothing } });
    await expectProblem(await publish(), 'ACL_DENIED');
  });

  it('may be larger than a registration', async () => {
    const namespace = core.freshNamespace();
    const patterns = Array.from({ length: 200 }, (_, index) => `topic-${index}.${'x'.repeat(200)}`);
    const roles = Object.fromEntries(['a', 'b', 'c'].map((role) => [role, { ...nothing, publish: patterns }]));
    expect((await put(namespace, { policy: { roles, default: nothing } })).status).toBe(200);
    const tooLarge = await put(namespace, {
      policy: { roles, default: nothing },
      unknown: 'x'.repeat(4 * 1024 * 1024),
    });
    expect((await expectProblem(tooLarge, 'PAYLOAD_TOO_LARGE')).details).toEqual({ limit: 4_194_304 });
  });

  it.each<[unknown, string]>([
    [{}, 'policy'],
    [[], ''],
    [{ policy: { roles: {} } }, 'policy.default'],
    [{ policy: { roles: { A: nothing }, default: nothing } }, 'policy.roles.A'],
    [
      { policy: { roles: { a: { publish: ['b.{name'], subscribe: [] } }, default: nothing } },
      'policy.roles.a.publish.0',
    ],
    [{ policy: rules, ifVersion: -1 }, 'ifVersion'],
    [{ policy: rules, namespace: 'other' }, 'namespace'],
  ])('refuses %j', async (json, at) => {
    const problem = await expectProblem(await put(core.namespace, json), 'INVALID_INPUT');
    expect(problem.details).toContainEqual({ path: at, reason: expect.any(String) });
    expect((await get(core.namespace)).version).toBe(0);
  });

  it('is replaced by administrators, and read by everybody but newcomers', async () => {
    const token = await agentToken(core.namespace, 'reader');
    for (const held of [token, core.viewerToken, core.joinToken]) {
      await expectProblem(await put(core.namespace, { policy: rules }, held), 'FORBIDDEN');
    }
    expect((await core.fetch('/v1/policy', { token })).status).toBe(200);
    await expectProblem(await core.fetch(path('elsewhere'), { token }), 'FORBIDDEN');
    await expectProblem(await core.fetch('/v1/policy', { token: core.joinToken }), 'FORBIDDEN');
  });
});

describe('/v1/policy/explain', () => {
  const explain = (query: string, token = core.viewerToken) => core.fetch(`/v1/policy/explain?${query}`, { token });

  beforeAll(() => agentToken(core.namespace, 'explained'));

  it.each([
    ['publish', 'task.explained.progress', true, 'task.{name}.>'],
    ['publish', 'task.explained.assigned', false, 'task.{name}.assigned'],
    ['publish', 'goal.submitted', false, null],
    ['subscribe', 'plan.*', true, 'plan.>'],
    ['subscribe', '%3E', false, null],
  ])('%s %s', async (action, topic, allowed, rule) => {
    const answer = await explain(`name=explained&action=${action}&topic=${topic}`);
    const because = rule === null ? `no ${action} rule` : `the rule "${rule}"`;
    expect(PolicyExplanation.parse(await answer.json())).toEqual({
      allowed,
      rule,
      circuit: 'closed',
      because: expect.stringContaining(because),
    });
  });

  it.each([
    ['explained', true, 'group of agent "explained"'],
    ['worker', true, 'group of role "worker"'],
    ['worker-night', true, '{role}-*'],
    ['coder', false, 'group of role "coder"'],
    ['ops', false, null],
  ])('consume %s', async (group, allowed, rule) => {
    const answer = await explain(`name=explained&action=consume&group=${group}`);
    const because = expect.stringContaining(`role "worker" ${allowed ? 'may' : 'may not'} consume group "${group}"`);
    expect(PolicyExplanation.parse(await answer.json())).toEqual({ allowed, rule, circuit: 'closed', because });
  });

  it.each([
    ['action=publish&topic=a', 'name'],
    ['name=explained&topic=a', 'action'],
    ['name=explained&action=read&topic=a', 'action'],
    ['name=explained&action=publish', 'topic'],
    ['name=explained&action=publish&topic=a&topic=b', 'topic'],
    ['name=explained&action=consume&topic=a', 'group'],
    ['name=explained&action=consume&group=A', 'group'],
  ])('refuses ?%s', async (query, at) => {
    const problem = await expectProblem(await explain(query), 'INVALID_INPUT');
    expect(problem.details).toContainEqual({ path: at, reason: expect.any(String) });
  });

  it('is about agents that are there, for those who may read', async () => {
    await expectProblem(await explain('name=nobody&action=publish&topic=a'), 'NOT_FOUND');
    await expectProblem(await explain('name=explained&action=publish&topic=a', core.joinToken), 'FORBIDDEN');
  });
});

describe('editing', () => {
  const send = async (namespace: string, method: 'PUT' | 'DELETE', at: string, json?: unknown) => {
    const [route, query = ''] = at.split('?');
    return core.fetch(`/v1/policy${route}?namespace=${namespace}&${query}`, {
      method,
      ...(json === undefined ? {} : { json }),
    });
  };
  const changed = async (answer: Response | Promise<Response>) => ChangedPolicy.parse(await (await answer).json());

  it('takes a policy as it was read, whose version must be in force', async () => {
    const namespace = core.freshNamespace();
    const shipped = await get(namespace);
    expect(await changed(send(namespace, 'PUT', '', shipped))).toMatchObject({ ...shipped, version: 1 });
    await expectProblem(await send(namespace, 'PUT', '', shipped), 'CONFLICT');
    const { version: _version, ...withoutVersion } = shipped;
    const second = await changed(send(namespace, 'PUT', '', withoutVersion));
    expect(second.version).toBe(2);
    // An answer can be sent back, too.
    expect(await changed(send(namespace, 'PUT', '', second))).toMatchObject({ version: 3 });
    await expectProblem(await send(namespace, 'PUT', '', { ...shipped, version: 'x' }), 'INVALID_INPUT');
    await expectProblem(await send(namespace, 'PUT', '', { roles: {} }), 'INVALID_INPUT');
  });

  it('changes one role, and leaves the others', async () => {
    const namespace = core.freshNamespace();
    const { roles, version } = await get(namespace);
    const guard = { publish: ['alarm.raised'], subscribe: ['alarm.>'], consume: ['{name}'] };
    const added = await changed(send(namespace, 'PUT', '/roles/guard', { rules: guard, ifVersion: version }));
    expect(added).toMatchObject({ version: 1, roles: { ...roles, guard } });
    await expectProblem(await send(namespace, 'PUT', '/roles/guard', { rules: guard, ifVersion: 0 }), 'CONFLICT');
    // The rules alone.
    expect((await changed(send(namespace, 'PUT', '/roles/guard', { ...guard, consume: [] }))).version).toBe(2);
    await expectProblem(await send(namespace, 'DELETE', '/roles/guard?ifVersion=1'), 'CONFLICT');
    expect((await changed(send(namespace, 'DELETE', '/roles/guard?ifVersion=2'))).roles).toEqual(added.roles && roles);
    await expectProblem(await send(namespace, 'DELETE', '/roles/guard'), 'NOT_FOUND');
    await expectProblem(await send(namespace, 'DELETE', '/roles/constructor'), 'NOT_FOUND');
    await expectProblem(await send(namespace, 'PUT', '/roles/Guard', { rules: guard }), 'INVALID_INPUT');
  });

  it('adds no role beyond the limit', async () => {
    const namespace = core.freshNamespace();
    const roles = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`role-${index}`, nothing]));
    await put(namespace, { policy: { roles, default: nothing } });
    await expectProblem(await send(namespace, 'PUT', '/roles/role-200', { rules: nothing }), 'INVALID_INPUT');
    expect((await changed(send(namespace, 'PUT', '/roles/role-199', { rules: nothing }))).version).toBe(2);
  });

  it('names who loses what before it is stored, and stores nothing in a dry run', async () => {
    const namespace = core.freshNamespace();
    const topics = { publishes: ['task.w.completed'], subscribes: ['task.w.assigned'] };
    const json = { name: 'w', role: 'worker', version: '1.0.0', topics };
    const { token } = RegisterResult.parse(
      await (await core.fetch('/v1/agents', { namespace, method: 'POST', json })).json(),
    );
    const gone = new AbortController();
    const stream = await core.fetch(`/v1/events/stream?topics=task.w.assigned`, {
      namespace,
      token: token ?? '',
      signal: gone.signal,
    });
    expect(stream.status).toBe(200);
    const effect = {
      agents: {
        total: 1,
        list: [{ name: 'w', role: 'worker', publish: topics.publishes, subscribe: topics.subscribes }],
      },
      streams: {
        total: 1,
        list: [{ name: 'w', role: 'worker', kind: 'subscribe', topics: ['task.w.assigned'], group: null }],
      },
      complete: true,
    };
    const dry = await changed(send(namespace, 'DELETE', '/roles/worker?dryRun=true'));
    expect(dry).toMatchObject({ version: 0, effect });
    expect((await get(namespace)).version).toBe(0);
    expect(await changed(send(namespace, 'DELETE', '/roles/worker'))).toMatchObject({ version: 1, effect });
    gone.abort();
  });

  it('keeps its versions, with who put each and when', async () => {
    const namespace = core.freshNamespace();
    const shipped = await get(namespace);
    for (let count = 0; count < 3; count += 1) await put(namespace, { policy: shipped });
    const history = async (query: string) =>
      PolicyHistory.parse(await (await core.fetch(`/v1/policy/history?namespace=${namespace}${query}`)).json());
    const first = await history('&limit=2');
    expect(first.versions).toMatchObject([
      { version: 3, by: '/operators/admin', roles: shipped.roles },
      { version: 2, by: '/operators/admin' },
    ]);
    expect(Math.abs(Date.parse(first.versions[0]?.at ?? '') - Date.now())).toBeLessThan(60_000);
    expect(await history(`&limit=2&cursor=${first.nextCursor}`)).toMatchObject({
      versions: [{ version: 1 }],
      nextCursor: null,
    });
    expect(
      await changed(send(namespace, 'PUT', '?ifVersion=3', { roles: shipped.roles, default: shipped.default })),
    ).toMatchObject({ version: 4 });
  });
});

describe('offers', () => {
  const offering = { roles: { worker: { ...nothing, offers: ['code-*', 'build'] } }, default: nothing };
  const register = (namespace: string, capabilities: string[], fields: object = {}) =>
    core.fetch('/v1/agents', {
      namespace,
      method: 'POST',
      json: { name: 'ada', role: 'worker', version: '1.0.0', capabilities, ...fields },
    });
  const update = (namespace: string, capabilities: string[], token?: string) =>
    core.fetch('/v1/agents/ada', {
      namespace,
      method: 'PATCH',
      json: { capabilities },
      ...(token === undefined ? {} : { token }),
    });

  it('an agent registers with the capabilities that its role may offer, and with no other', async () => {
    const namespace = core.freshNamespace();
    await put(namespace, { policy: offering });
    const refusal = await expectProblem(await register(namespace, ['build', 'deploy']), 'ACL_DENIED');
    expect(refusal.details).toEqual({ role: 'worker', action: 'offer', capability: 'deploy', rule: null });
    expect((await core.fetch('/v1/agents/ada', { namespace })).status).toBe(404);
    expect((await register(namespace, ['build'])).status).toBe(201);
    // The rules of a role that names no capabilities, and those of the shipped policy, allow all.
    expect((await register(namespace, ['deploy'], { name: 'bob', role: 'qa' })).status).toBe(201);
    expect((await register(core.freshNamespace(), ['deploy'])).status).toBe(201);
  });

  it('an update adds no capability that the role may not offer, also by an admin', async () => {
    const namespace = core.freshNamespace();
    await put(namespace, { policy: offering });
    const { token } = RegisterResult.parse(await (await register(namespace, ['build'])).json());
    await expectProblem(await update(namespace, ['build', 'deploy'], token), 'ACL_DENIED');
    await expectProblem(await update(namespace, ['deploy']), 'ACL_DENIED');
    expect((await update(namespace, [], token)).status).toBe(200);
  });

  it('an agent stays registered when the policy no longer lets it offer something, and the effect names what', async () => {
    const namespace = core.freshNamespace();
    const { token } = RegisterResult.parse(await (await register(namespace, ['build', 'deploy'])).json());
    const { effect } = ChangedPolicy.parse(await (await put(namespace, { policy: offering })).json());
    expect(effect.agents.list).toEqual([
      { name: 'ada', role: 'worker', publish: [], subscribe: [], offers: ['deploy'] },
    ]);
    const change = { method: 'PATCH', token: token ?? null, json: { description: 'still here' } };
    expect((await core.fetch('/v1/agents/ada', { namespace, ...change })).status).toBe(200);
    await expectProblem(await register(namespace, ['build', 'deploy']), 'ACL_DENIED');
  });
});
