// The Architect as a process beside a real core: goals become plans, plans are seen through, whoever is killed on the way.
import { createSwarmClient } from '@hypercode/client';
import type { TaskCancelled } from '@hypercode/contracts';
import {
  freePort,
  type SpawnedArchitect,
  spawnArchitect,
  type SpawnedCore,
  startPostgres,
  startRedis,
  waitFor,
} from '@hypercode/testkit';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';
import { PlanLog } from './plan-log.ts';
import { startWorker, type TestWorker } from './workers.ts';
import type { PlanSummary, PlanView } from '../../apps/architect/src/plans/plan-view.ts';

const stack: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

interface Stage {
  readonly core: SpawnedCore;
  readonly log: PlanLog;
  architect(env?: Record<string, string>): Promise<SpawnedArchitect>;
  worker(...args: Parameters<typeof startWorker> extends [unknown, ...infer Rest] ? Rest : never): Promise<TestWorker>;
}

async function stage(env: Record<string, string> = {}): Promise<Stage> {
  const core = await spawnCore({ env });
  stack.push(() => core.close());
  const log = new PlanLog(core);
  stack.push(() => log.close());
  return {
    core,
    log,
    async architect(own = {}) {
      const architect = await spawnArchitect({ SWARM_URL: core.url, SWARM_JOIN_TOKEN: core.joinToken, ...own });
      stack.push(() => architect.close());
      return architect;
    },
    async worker(...args) {
      const worker = await startWorker(core, ...args);
      stack.push(() => worker.agent.stop());
      return worker;
    },
  };
}

const submit = (architect: SpawnedArchitect, goal: object) =>
  architect.call<{ goalId: string; planId: string; duplicate: boolean }>('/goals', goal);
const step = (id: string, dependsOn: string[] = [], rest: object = {}) => ({
  id,
  title: `do ${id}`,
  capability: 'work',
  dependsOn,
  ...rest,
});
const nonEmpty = <T>(list: T[]): T[] | null => (list.length > 0 ? list : null);
/** Steps one after another. */
const chain = (length: number) =>
  Array.from({ length }, (_, n) => step(`t${n}`, n === 0 ? [] : [`t${n - 1}`], { input: n }));

const STORES = [
  ['the embedded default', async () => ({})],
  [
    'PostgreSQL and Redis',
    async () => {
      const [database, redis] = await Promise.all([startPostgres(), startRedis({ appendOnly: true })]);
      stack.push(
        () => database.close(),
        () => redis.close(),
      );
      return { DATABASE_URL: database.url, REDIS_URL: redis.url };
    },
  ],
] as const;

describe.each(STORES)('on %s', (_, store) => {
  test('a goal becomes a plan, and each task is done with what the ones before gave', async () => {
    const { log, architect: start, worker } = await stage(await store());
    const architect = await start();
    await worker('ada', ({ taskId, input, dependencies }) => ({ taskId, input, dependencies }));
    const steps = [step('a', [], { input: { n: 1 } }), step('b', ['a']), step('c', ['a']), step('d', ['b', 'c'])];
    const { goalId, planId } = await submit(architect, { title: 'a diamond', steps });
    expect(await log.endOf(planId)).toBe('plan.completed');
    const plan = await architect.call<PlanView>(`/plans/${planId}`);
    expect(plan).toMatchObject({ goalId, status: 'completed', planner: 'steps', missing: [] });
    const a = { taskId: 'a', input: { n: 1 }, dependencies: {} };
    expect(plan.outputs['b']).toEqual({ taskId: 'b', input: null, dependencies: { a } });
    expect(Object.keys(Object(Object(plan.outputs['d']).dependencies))).toEqual(['b', 'c']);
    expect(log.completed(planId)).toHaveLength(4);
  });

  test('core and Architect are killed in the middle of a plan: it is completed, each task once', async () => {
    const { core, log, architect: start, worker } = await stage(await store());
    let architect = await start();
    await worker('ada', ({ input }) => input);
    await worker('bob', ({ input }) => input);
    const { planId } = await submit(architect, { title: 'a long chain', steps: chain(60) });
    for (const at of [10, 25, 40]) {
      await waitFor(() => log.completed(planId).length >= at, { what: `task ${at}`, timeoutMs: 60_000 });
      architect.kill('SIGKILL');
      core.kill('SIGKILL');
      await Promise.all([architect.exited, core.exited]);
      await core.restart();
      architect = await start();
    }
    expect(await log.endOf(planId)).toBe('plan.completed');
    expect(log.completed(planId).toSorted()).toEqual(
      chain(60)
        .map(({ id }) => id)
        .toSorted(),
    );
    const assigned = log
      .data<{ taskId: string; attempt: number }>('.assigned')
      .map((data) => `${data.taskId}/${data.attempt}`);
    expect(new Set(assigned).size).toBe(assigned.length);
    const plan = await waitFor(() => architect.call<PlanView>(`/plans/${planId}`), { what: 'the plan to be read' });
    expect(plan.status).toBe('completed');
  });
});

test('a worker falls silent in the middle of its task: another one gets it; both answer, and one counts', async () => {
  const { log, architect: start, worker } = await stage({ SWARM_LEASE_MS: '2000' });
  const architect = await start();
  // It registers, beats once, and then never again: for the core it is as dead as a process that was killed.
  const ada = await worker('ada', () => undefined, { heartbeatMs: 3_600_000 });
  const { planId } = await submit(architect, { title: 'one task', steps: [step('a'), step('b', ['a'])] });
  const task = await waitFor(() => ada.given[0], { what: 'the task to reach ada' });
  const bob = await worker('bob', ({ taskId }) => (taskId === 'a' ? undefined : 'b by bob'));
  const again = await waitFor(() => bob.given[0], { what: 'the task to reach bob', timeoutMs: 20_000 });
  expect(again).toMatchObject({ planId, taskId: 'a', attempt: 2 });
  await bob.complete(again, 'a by bob');
  await ada.complete(task, 'a by ada');
  expect(await log.endOf(planId)).toBe('plan.completed');
  expect(await architect.call<PlanView>(`/plans/${planId}`)).toMatchObject({
    outputs: { a: 'a by bob', b: 'b by bob' },
  });
  expect(log.completed(planId).filter((taskId) => taskId === 'a')).toHaveLength(2);
  expect(log.completed(planId).filter((taskId) => taskId === 'b')).toHaveLength(1);
});

test('a plan is shown as a list, a page and a diagram, and is cancelled on request', async () => {
  const { log, architect: start, worker } = await stage();
  const architect = await start();
  const ada = await worker('ada', () => undefined);
  const { planId } = await submit(architect, { title: 'to be cancelled', steps: [step('a'), step('b', ['a'])] });
  await waitFor(() => ada.given[0], { what: 'the task to reach ada' });
  const listed = (status: string) => architect.call<{ plans: PlanSummary[] }>(`/plans?status=${status}&limit=1`);
  const running = { planId, status: 'running', tasks: { total: 2 } };
  expect((await listed('running')).plans).toMatchObject([running]);
  const diagram = await fetch(`${architect.url()}/plans/${planId}/mermaid`);
  expect(diagram.headers.get('content-type')).toContain('text/vnd.mermaid');
  expect(await diagram.text()).toMatch(/^flowchart[^]*do a<br\/>work<br\/>ada[^]*t0 --> t1/);

  await architect.call(`/plans/${planId}/cancel`, { reason: 'nobody wants it any more' });
  expect(await log.endOf(planId)).toBe('plan.cancelled');
  const [told] = await waitFor(() => nonEmpty(log.data<TaskCancelled>('.ada.cancelled')), { what: 'ada to be told' });
  expect(told).toMatchObject({ planId, taskId: 'a', attempt: 1 });
  const cancelled = { planId, status: 'cancelled', reason: 'nobody wants it any more' };
  await waitFor(async () => (await listed('cancelled')).plans.length === 1, { what: 'the plan to be listed' });
  expect((await listed('running')).plans).toEqual([]);
  expect(await architect.call(`/plans/${planId}`)).toMatchObject(cancelled);
  expect(await architect.call(`/plans/${planId}/cancel`, {})).toMatchObject({ planId, status: 'cancelled' });
  await expect(architect.call('/plans/00000000-0000-4000-8000-000000000000')).rejects.toThrow('NOT_FOUND');
});

test('at SIGTERM the Architect shows that it drains, leaves the registry, and ends', async () => {
  const { core, architect: start } = await stage();
  const architect = await start();
  const observer = createSwarmClient({ url: core.url, token: core.adminToken });
  stack.push(() => observer.close());
  const seen: string[] = [];
  const directory = observer.directory();
  stack.push(() => directory.stop());
  directory.on('changed', ({ name, status }) => seen.push(`${name} ${status.activity}`));
  directory.on('removed', ({ name }) => seen.push(`${name} left`));
  await directory.ready;
  expect(directory.get('architect')).toMatchObject({ role: 'architect', status: { circuit: 'closed' } });
  architect.kill('SIGTERM');
  expect(await architect.exited).toEqual({ code: 0, signal: null });
  await waitFor(() => seen.includes('architect left'), { what: 'the Architect to leave' });
  expect(seen.filter((line) => !line.endsWith(' ready'))).toEqual(['architect draining', 'architect left']);
});

test('a standby takes over when the lease of the active one has ended, and goes on with its plans', async () => {
  const { core, log, architect: start, worker } = await stage({ SWARM_LEASE_MS: '1000' });
  const active = await start();
  const standby = await start({ ARCHITECT_STANDBY: 'true' });
  const ada = await worker('ada', ({ taskId }) => (taskId === 'a' ? undefined : taskId));
  const { planId } = await submit(active, { title: 'outlives its architect', steps: [step('a'), step('b', ['a'])] });
  const task = await waitFor(() => ada.given[0], { what: 'the first task' });
  await waitFor(async () => (await standby.call<PlanView>(`/plans/${planId}`)).tasks[0]?.agent === 'ada', {
    what: 'the standby to follow',
  });
  active.kill('SIGKILL');
  await active.exited;
  await waitFor(() => standby.modes().at(-1) === 'active', { what: 'the standby to take over', timeoutMs: 30_000 });
  await ada.complete(task, 'a');
  expect(await log.endOf(planId)).toBe('plan.completed');
  const observer = createSwarmClient({ url: core.url, token: core.adminToken });
  stack.push(() => observer.close());
  const { agents } = await observer.registry.query({ role: 'architect' });
  expect(agents.map(({ name }) => name)).toEqual(['architect']);
});

test('an Architect whose name was taken stands by, and does not take it back', async () => {
  const { architect: start, log, worker } = await stage({ SWARM_LEASE_MS: '1000' });
  const first = await start();
  const second = await start();
  await waitFor(() => first.modes().at(-1) === 'standby', { what: 'the first one to stand by', timeoutMs: 20_000 });
  await worker('ada', () => 'done');
  const { planId } = await submit(first, { title: 'through the standby', steps: [step('a')] });
  expect(await log.endOf(planId)).toBe('plan.completed');
  expect(second.modes()).toEqual(['active']);
  expect(first.modes()).toEqual(['active', 'standby']);
});

test('a plan outlives the events that it was made of', async () => {
  const { log, architect: start, worker } = await stage({ SWARM_EVENTS_MAX: '60' });
  let architect = await start();
  const ada = await worker('ada', ({ taskId }) => (taskId === 'late' ? undefined : taskId));
  const { planId } = await submit(architect, { title: 'old', steps: [step('first'), step('late', ['first'])] });
  const late = await waitFor(() => ada.given.find(({ taskId }) => taskId === 'late'), { what: 'the late task' });
  // Other plans push the beginning of this one out of the log.
  for (let n = 0; n < 20; n += 1) {
    const other = await submit(architect, { title: `filler ${n}`, steps: [step('x')] });
    await log.endOf(other.planId);
  }
  const { log: kept } = await ada.agent.client.bus.topics();
  expect(kept.removed).toBeGreaterThan(20);
  architect.kill('SIGKILL');
  await architect.exited;
  architect = await start();
  await ada.complete(late, 'at last');
  expect(await log.endOf(planId)).toBe('plan.completed');
  expect(await architect.call<PlanView>(`/plans/${planId}`)).toMatchObject({
    status: 'completed',
    outputs: { first: 'first', late: 'at last' },
  });
});

test('what the policy refuses for a while is said later', async () => {
  const { core, log, architect: start, worker } = await stage();
  const architect = await start();
  await worker('ada', ({ taskId }) => taskId);
  const operator = createSwarmClient({ url: core.url, token: core.adminToken });
  stack.push(() => operator.close());
  const policy = await operator.policy.get();
  const { architect: own = policy.default } = policy.roles;
  const roles = { ...policy.roles, architect: { ...own, denyPublish: ['task.>'] } };
  const { version } = await operator.policy.put({ policy: { ...policy, roles }, ifVersion: policy.version });
  const { planId } = await submit(architect, { title: 'denied', steps: [step('a')] });
  await waitFor(() => architect.output().includes('ACL_DENIED'), { what: 'the assignment to be refused' });
  await operator.policy.put({ policy, ifVersion: version });
  expect(await log.endOf(planId)).toBe('plan.completed');
});

test('a thousand tasks over twenty workers', async () => {
  const { log, architect: start, worker } = await stage();
  const architect = await start();
  for (let n = 0; n < 20; n += 1) await worker(`worker-${n}`, ({ taskId }) => taskId);
  const steps = Array.from({ length: 1000 }, (_, n) => step(`t${n}`, n < 20 ? [] : [`t${n - 20}`]));
  const { planId } = await submit(architect, { title: 'a thousand', steps });
  expect(await log.endOf(planId, 100_000)).toBe('plan.completed');
  expect(new Set(log.completed(planId)).size).toBe(1000);
});

test('without a core it is neither well nor ready, and says so; it is when the core comes', async () => {
  const port = await freePort();
  const joinToken = 'a-join-token-of-the-test';
  const architect = await spawnArchitect({ SWARM_URL: `http://127.0.0.1:${port}`, SWARM_JOIN_TOKEN: joinToken });
  stack.push(() => architect.close());
  const answerOf = async (path: string): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`${architect.url()}${path}`);
    return { status: response.status, body: await response.json() };
  };
  expect(await answerOf('/health')).toMatchObject({ status: 503, body: { status: 'unregistered', mode: 'active' } });
  expect(await answerOf('/ready')).toMatchObject({
    status: 503,
    body: { status: 'error', details: { swarm: { status: 'down' }, plans: { status: 'down' } } },
  });
  expect(await answerOf('/plans')).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE', retryable: true } });
  const core = await spawnCore({ env: { SWARM_PORT: String(port), SWARM_JOIN_TOKEN: joinToken } });
  stack.push(() => core.close());
  await waitFor(async () => (await answerOf('/ready')).status === 200, { what: 'it to be ready', timeoutMs: 60_000 });
  expect(await answerOf('/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
});

test('with a token, goals and plans are for those who have it', async () => {
  const architect = await spawnArchitect({
    SWARM_URL: `http://127.0.0.1:${await freePort()}`,
    SWARM_JOIN_TOKEN: 'a-join-token-of-the-test',
    ARCHITECT_TOKEN: 'a-token-of-the-architect',
  });
  stack.push(() => architect.close());
  const answerOf = async (path: string, authorization?: string, method = 'GET'): Promise<string> => {
    const headers = authorization === undefined ? {} : { authorization };
    const response = await fetch(`${architect.url()}${path}`, { method, headers });
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

test('without a token it is asked by an IP address or as localhost, by no name that a page can lead to it', async () => {
  const env = { SWARM_URL: `http://127.0.0.1:${await freePort()}`, SWARM_JOIN_TOKEN: 'a-join-token-of-the-test' };
  const architect = await spawnArchitect(env);
  stack.push(() => architect.close());
  const answerTo = async (host: string, path = '/plans'): Promise<string> => {
    const asked = request(`${architect.url()}${path}`, { headers: { host } }).end();
    const [response]: IncomingMessage[] = await once(asked, 'response');
    if (response === undefined) throw new Error('no response');
    const { code } = Object(await json(response));
    return `${response.statusCode} ${code} ${response.headers['content-type']}`;
  };
  const { host, port } = new URL(architect.url());
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

test('what is no goal is refused, and what can be no plan fails with the reason', async () => {
  const { core, log, architect: start } = await stage();
  const architect = await start({ ARCHITECT_PATIENCE_MS: '300' });
  const refusalOf = async (goal: unknown): Promise<{ code: string; detail: string }> => {
    const response = await fetch(`${architect.url()}/goals`, {
      method: 'POST',
      body: typeof goal === 'string' ? goal : JSON.stringify(goal),
      headers: { 'content-type': 'application/json' },
    });
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    return JSON.parse(await response.text());
  };
  expect(await refusalOf('{')).toMatchObject({ code: 'INVALID_INPUT', status: 400 });
  expect(await refusalOf({})).toMatchObject({ code: 'INVALID_INPUT', details: [{ path: 'title' }] });
  expect(await refusalOf({ title: 'x', steps: [] })).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await refusalOf({ title: 'x', steps: [step('a', ['b']), step('b', ['a'])] })).toMatchObject({
    code: 'INVALID_INPUT',
    detail: expect.stringContaining('a → b → a'),
  });
  expect(await refusalOf({ title: 'x', description: 'y'.repeat(300_000) })).toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
  });
  expect(await refusalOf({ title: 'x', steps: [step('a', ['nowhere'])] })).toMatchObject({
    code: 'INVALID_INPUT',
    detail: expect.stringContaining('nowhere'),
  });

  for (const body of [new URLSearchParams({ title: 'from any web page' }), '{"title":"from any web page"}']) {
    const response = await fetch(`${architect.url()}/goals`, { method: 'POST', body });
    expect(await response.json()).toMatchObject({ code: 'INVALID_INPUT', status: 400 });
  }

  const operator = createSwarmClient({ url: core.url, token: core.adminToken });
  stack.push(() => operator.close());
  const failed = async (goal: { goalId: string }, options = {}): Promise<string> => {
    await operator.publish('goal.submitted', goal, options);
    const isIt = (data: { goalId: string; reason: string }): boolean => data.goalId === goal.goalId;
    return waitFor(() => log.data<{ goalId: string; reason: string }>('plan.failed').find(isIt)?.reason, {
      what: 'the goal to fail',
    });
  };
  const goalOf = (goal: object) => ({ goalId: crypto.randomUUID(), title: 'x', ...goal });
  expect(await failed(goalOf({ steps: [step('a', ['a'])] }))).toContain('depends on itself');
  expect(await failed(goalOf({ steps: [{ id: '../etc' }] }))).toContain('invalid input');
  expect(await failed(goalOf({ steps: [step('a', [], { capability: 'fly' })] }))).toContain('no agent offers "fly"');
  expect(await failed(goalOf({ title: 'do something nobody knows' }))).toContain(
    'no agent in the swarm offers a capability',
  );
  // More of those whose plan nobody would take than are planned at a time.
  for (let n = 0; n < 10; n += 1) {
    const late = goalOf({ steps: [step('a')], deadlineMs: 1000 });
    expect(await failed(late, { time: '9999-12-31T23:59:59Z' })).toContain(
      'cannot continue: invalid input: deadlineAt',
    );
  }
});
