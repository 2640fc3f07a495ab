// The Architect on a core: goals become plans, and plans are carried out.
import { createSwarmClient } from '@hypercode/client';
import type { PlanSummary, PlanView, TaskCancelled } from '@hypercode/contracts';
import { sharedCore, START_TIMEOUT_MS, startTestCore, type TestCore } from '@hypercode/core-runtime/testing';
import { waitFor } from '@hypercode/testkit';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { expectDiamondToBeDone } from './diamond.ts';
import { type Stack, stageOn } from './stage.ts';
import { step } from './steps.ts';

const stack: Stack = [];
beforeAll(async () => {
  await sharedCore();
}, START_TIMEOUT_MS);
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

async function coreWith(configuration: Parameters<typeof startTestCore>[0]): Promise<TestCore> {
  const core = await startTestCore(configuration);
  stack.push(() => core.close());
  return core;
}

test('a goal becomes a plan, and each task is done with the outputs of the tasks that it depends on', async () => {
  await expectDiamondToBeDone(stageOn(await sharedCore(), stack));
});

test('a worker falls silent in the middle of its task: another one gets it; both answer, and one counts', async () => {
  const { log, architect: start, worker } = stageOn(await coreWith({ leaseMs: 2000 }), stack);
  const architect = await start();
  // It registers, sends one heartbeat, and then none: for the core it is as dead as a process that was killed.
  const ada = await worker('ada', () => undefined, { heartbeatMs: 3_600_000 });
  const { planId } = await architect.submit({ title: 'one task', steps: [step('a'), step('b', ['a'])] });
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
  const { log, architect: start, worker } = stageOn(await sharedCore(), stack);
  const architect = await start();
  const ada = await worker('ada', () => undefined);
  const { planId } = await architect.submit({ title: 'to be cancelled', steps: [step('a'), step('b', ['a'])] });
  await waitFor(() => ada.given[0], { what: 'the task to reach ada' });
  const listed = (status: string) => architect.call<{ plans: PlanSummary[] }>(`/plans?status=${status}&limit=1`);
  const running = { planId, status: 'running', tasks: { total: 2 } };
  expect((await listed('running')).plans).toMatchObject([running]);
  const diagram = await fetch(`${architect.url}/plans/${planId}/mermaid`);
  expect(diagram.headers.get('content-type')).toContain('text/vnd.mermaid');
  expect(await diagram.text()).toMatch(/^flowchart[^]*do a<br\/>work<br\/>ada[^]*t0 --> t1/);

  await architect.call(`/plans/${planId}/cancel`, { reason: 'nobody wants it any more' });
  expect(await log.endOf(planId)).toBe('plan.cancelled');
  const cancelled = await waitFor(() => log.data<TaskCancelled>('.ada.cancelled')[0], { what: 'ada to be notified' });
  expect(cancelled).toMatchObject({ planId, taskId: 'a', attempt: 1 });
  const end = { planId, status: 'cancelled', reason: 'nobody wants it any more' };
  await waitFor(async () => (await listed('cancelled')).plans.length === 1, { what: 'the plan to be listed' });
  expect((await listed('running')).plans).toEqual([]);
  expect(await architect.call(`/plans/${planId}`)).toMatchObject(end);
  expect(await architect.call(`/plans/${planId}/cancel`, {})).toMatchObject({ planId, status: 'cancelled' });
  await expect(architect.call('/plans/00000000-0000-4000-8000-000000000000')).rejects.toThrow('NOT_FOUND');
});

test('an assignment that the policy refuses for a while is published later', async () => {
  const { core, log, architect: start, worker } = stageOn(await sharedCore(), stack);
  const architect = await start();
  await worker('ada', ({ taskId }) => taskId);
  const operator = createSwarmClient({ url: core.url, namespace: core.namespace, token: core.adminToken });
  stack.push(() => operator.close());
  const policy = await operator.policy.get();
  const { architect: own = policy.default } = policy.roles;
  const roles = { ...policy.roles, architect: { ...own, denyPublish: ['task.>'] } };
  const { version } = await operator.policy.put({ policy: { ...policy, roles }, ifVersion: policy.version });
  const { planId } = await architect.submit({ title: 'denied', steps: [step('a')] });
  await waitFor(() => architect.lines.some((line) => line.includes('ACL_DENIED')), {
    what: 'the assignment to be refused',
  });
  await operator.policy.put({ policy, ifVersion: version });
  expect(await log.endOf(planId)).toBe('plan.completed');
});

test('an Architect without its rights is not ready, and reports which are missing, until it has them', async () => {
  const { core, architect: start } = stageOn(await sharedCore(), stack);
  const architect = await start();
  const rights = async (): Promise<string> => {
    const { details } = Object(await (await fetch(`${architect.url}/ready`)).json());
    return `${details.rights.status} ${details.rights.message ?? ''}`;
  };
  await waitFor(async () => (await rights()) === 'up ', { what: 'the Architect to be ready' });
  const operator = createSwarmClient({ url: core.url, namespace: core.namespace, token: core.adminToken });
  stack.push(() => operator.close());
  const policy = await operator.policy.get();
  const { architect: own = policy.default } = policy.roles;
  const roles = { ...policy.roles, architect: { ...own, denyPublish: ['task.*.assigned', 'task.*.rejected'] } };
  const { version } = await operator.policy.put({ policy: { ...policy, roles }, ifVersion: policy.version });
  await waitFor(async () => (await rights()).startsWith('down'), { what: 'the Architect not to be ready' });
  expect(await rights()).toContain('the policy denies publish "task.*.assigned" (');
  expect(await rights()).not.toContain('rejected');
  await operator.policy.put({ policy, ifVersion: version });
  await waitFor(async () => (await rights()) === 'up ', { what: 'the Architect to be ready again' });
});

test('answers and goals of other forms are understood, and those that are not are rejected', async () => {
  const { core, log, architect: start, worker } = stageOn(await sharedCore(), stack);
  const architect = await start({ ARCHITECT_MAX_ATTEMPTS: '1' });
  const ada = await worker('ada', () => undefined);
  const operator = createSwarmClient({ url: core.url, namespace: core.namespace, token: core.adminToken });
  stack.push(() => operator.close());
  const given = async (n: number) => waitFor(() => ada.given[n], { what: `task ${n + 1} to reach ada` });
  const planOf = (planId: string) => architect.call<PlanView>(`/plans/${planId}`);

  // A goal without an id.
  await operator.publish('goal.submitted', { title: 'without an id', steps: [step('a')] });
  const first = await given(0);
  const about = { planId: first.planId, taskId: 'a', attempt: 1 };
  const say = (kind: string, data: object) => ada.agent.client.publish(`task.ada.${kind}`, { ...about, ...data });
  await say('progress', { progress: 55 });
  await waitFor(async () => (await planOf(first.planId)).tasks[0]?.progress === 1, { what: 'the progress to be 1' });
  const { id: eventId } = await say('progress', { progress: 'half' });
  await waitFor(() => log.data<object>('task.ada.rejected').length > 0, { what: 'the answer to be rejected' });
  expect(log.data('task.ada.rejected')).toMatchObject([{ eventId, reason: expect.stringContaining('progress') }]);
  expect((await planOf(first.planId)).rejections).toMatchObject([{ eventId, topic: 'task.ada.progress' }]);
  await say('failed', { error: 'a long trace\n'.repeat(1_000) });
  expect(await log.endOf(first.planId)).toBe('plan.failed');
  expect((await planOf(first.planId)).tasks[0]?.error).toMatch(/^a long trace/);

  const { id } = await operator.publish('goal.submitted', 'do something');
  const rejected = await waitFor(() => log.data<{ eventId: string }>('goal.rejected')[0], { what: 'the rejection' });
  expect(rejected).toMatchObject({ eventId: id, source: expect.stringContaining('/operators/') });
});

test('a thousand tasks are done by twenty workers', { timeout: 120_000 }, async () => {
  const { log, architect: start, worker } = stageOn(await sharedCore(), stack);
  const architect = await start();
  for (let n = 0; n < 20; n += 1) await worker(`worker-${n}`, ({ taskId }) => taskId);
  const steps = Array.from({ length: 1000 }, (_, n) => step(`t${n}`, n < 20 ? [] : [`t${n - 20}`]));
  const { planId } = await architect.submit({ title: 'a thousand', steps });
  expect(await log.endOf(planId, 100_000)).toBe('plan.completed');
  expect(new Set(log.completed(planId)).size).toBe(1000);
});

test('a bad goal is refused, and a goal that cannot become a plan fails with the reason', async () => {
  const { core, log, architect: start } = stageOn(await sharedCore(), stack);
  const architect = await start({ ARCHITECT_PATIENCE_MS: '300' });
  const refusalOf = async (goal: unknown): Promise<{ code: string; detail: string }> => {
    const response = await fetch(`${architect.url}/goals`, {
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
    const response = await fetch(`${architect.url}/goals`, { method: 'POST', body });
    expect(await response.json()).toMatchObject({ code: 'INVALID_INPUT', status: 400 });
  }

  const operator = createSwarmClient({ url: core.url, namespace: core.namespace, token: core.adminToken });
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
