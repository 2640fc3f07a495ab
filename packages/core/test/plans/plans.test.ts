// The plans of a core: what is on the bus, as lists, views and a stream.
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';
import { type Frame, framesOf } from '../frames.ts';
import { swarmOn } from './goal-events.ts';

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

async function watch(namespace: string, query = ''): Promise<() => Promise<Frame>> {
  const cut = new AbortController();
  onTestFinished(() => cut.abort());
  const answer = await core.fetch(`/v1/plans/stream${query}`, { namespace, signal: cut.signal });
  expect(answer.status).toBe(200);
  const frames = framesOf(answer);
  return async () => {
    const { value } = await frames.next();
    if (value === undefined) throw new Error('the stream has ended');
    return value;
  };
}

describe('a plan', () => {
  test('is shown with the attempts of each task: agent, times, outcome, error, and why this agent', async () => {
    const { call, submit, create, assign, publish } = swarmOn(core);
    const ids = await submit();
    const { planId } = ids;
    await create(ids, ['a', 'b']);
    await assign('ada', { planId, taskId: 'a', attempt: 1 });
    await publish('task.ada.failed', { planId, taskId: 'a', attempt: 1, error: { message: 'no paper' } });
    await assign('bob', { planId, taskId: 'a', attempt: 2 });
    await publish('task.bob.completed', { planId, taskId: 'a', attempt: 2, output: { pages: 3 } });
    const view = await call(`/v1/plans/${planId}`);
    expect(view.body).toMatchObject({
      status: 'running',
      outputs: { a: { pages: 3 } },
      retries: 0,
      tasks: [
        {
          taskId: 'a',
          status: 'completed',
          attempts: [
            { agent: 'ada', outcome: 'failed', error: 'no paper', because: 'only this agent offers the capability' },
            { agent: 'bob', outcome: 'completed', error: null, assignedAt: expect.any(String) },
          ],
        },
        { taskId: 'b', status: 'ready', attempts: [] },
      ],
    });
  });

  test('that nobody knows is not found, also by a stream', async () => {
    const { call } = swarmOn(core);
    const planId = randomUUID();
    expect((await call(`/v1/plans/${planId}`)).body.code).toBe('NOT_FOUND');
    expect((await call(`/v1/plans/stream?planId=${planId}`)).body.code).toBe('NOT_FOUND');
    expect((await call(`/v1/plans/${planId}/retry`, { method: 'POST' })).body.code).toBe('NOT_FOUND');
    expect((await call('/v1/plans/no-uuid')).body.details).toMatchObject([{ path: 'planId' }]);
  });

  test('is read as it is right after an event of it was published', async () => {
    const { call, submit, create } = swarmOn(core);
    await call('/v1/plans');
    for (let n = 0; n < 10; n += 1) {
      const ids = await submit();
      expect((await call(`/v1/plans/${ids.planId}`)).body).toMatchObject({ planId: ids.planId });
      await create(ids, ['a']);
    }
  });
});

describe('the list of plans', () => {
  test('has the newest first, by pages and by state', async () => {
    const { call, submit, create } = swarmOn(core);
    const planIds: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      const ids = await submit({ title: `goal ${n}` });
      planIds.unshift(ids.planId);
      if (n === 3) await create(ids, ['a']);
    }
    await call(`/v1/plans/${planIds[0]}`);
    const listed: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await call(`/v1/plans?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      listed.push(...body.plans.map((plan: { planId: string }) => plan.planId));
      cursor = body.nextCursor;
    }
    expect(listed).toEqual(planIds);
    const { body: running } = await call('/v1/plans?state=running');
    expect(running).toMatchObject({ plans: [{ planId: planIds[1], tasks: { total: 1 } }], nextCursor: null });
    const refused = await call(`/v1/plans?cursor=${randomUUID()}`);
    expect(refused.body.details).toMatchObject([{ path: 'cursor' }]);
    expect((await call('/v1/plans?state=lost')).body.details).toMatchObject([{ path: 'state' }]);
  });
});

describe('the stream of plans', () => {
  test('begins with each plan as it is, and goes on with those that change', async () => {
    const { namespace, submit, create } = swarmOn(core);
    const [first, second] = [await submit(), await submit()];
    const next = await watch(namespace);
    const views = [await next(), await next()];
    expect(views).toMatchObject([first, second].map(({ planId }) => ({ event: 'plan', data: { plan: { planId } } })));
    expect(await next()).toMatchObject({ event: 'synced' });
    await create(second, ['a']);
    expect(await next()).toMatchObject({ event: 'plan', data: { plan: { planId: second.planId, status: 'running' } } });
    const third = await submit();
    expect(await next()).toMatchObject({ data: { plan: { planId: third.planId, status: 'planning' } } });
  });

  test('sends a plan that changes all the time at most twice a second, and its last state', async () => {
    const { namespace, submit, create, assign, publish } = swarmOn(core);
    const ids = await submit();
    const { planId } = ids;
    await create(ids, ['a']);
    await assign('ada', { planId, taskId: 'a', attempt: 1 });
    const next = await watch(namespace, `?planId=${planId}`);
    await next();
    expect(await next()).toMatchObject({ event: 'synced' });
    const begun = performance.now();
    for (let n = 1; n <= 100; n += 1) {
      await publish('task.ada.progress', { planId, taskId: 'a', attempt: 1, progress: n / 100 });
    }
    let views = 0;
    for (let progress = 0; progress < 1; views += 1) {
      progress = Object((await next()).data).plan.tasks[0].progress;
    }
    // One more than the pauses that have passed.
    expect(views).toBeLessThanOrEqual(Math.floor((performance.now() - begun) / 500) + 1);
  });

  test('by state sends a plan once more when it no longer has the state', async () => {
    const { namespace, submit, create, publish } = swarmOn(core);
    const [ids, other] = [await submit(), await submit()];
    await create(ids, ['a']);
    const next = await watch(namespace, '?state=running');
    expect(await next()).toMatchObject({ data: { plan: { planId: ids.planId, status: 'running' } } });
    expect(await next()).toMatchObject({ event: 'synced' });
    await publish('goal.cancelled', { goalId: other.goalId });
    await publish('plan.failed', { planId: ids.planId, goalId: ids.goalId, reason: 'no agent' });
    for (let status = 'running'; status !== 'failed';) {
      const { plan } = Object((await next()).data);
      expect(plan.planId).toBe(ids.planId);
      status = plan.status;
    }
  });
});

describe('a retry', () => {
  test('of a failed plan lets it run again; again and again it is one retry', async () => {
    const { call, submit, create, publish } = swarmOn(core);
    const ids = await submit();
    const { planId, goalId } = ids;
    const retry = (json?: object) =>
      call(`/v1/plans/${planId}/retry`, json === undefined ? { method: 'POST' } : { json });
    await create(ids, ['a']);
    expect((await retry()).body).toMatchObject({ code: 'CONFLICT', detail: expect.stringContaining('running') });
    await publish('plan.failed', { planId, goalId, reason: 'no agent' });
    const first = await retry({ reason: 'an agent is there now' });
    expect(first).toMatchObject({ status: 202, body: { planId } });
    expect((await call(`/v1/plans/${planId}`)).body).toMatchObject({ status: 'running', retries: 1, reason: null });
    expect((await retry()).body).toEqual(first.body);
    await publish('plan.failed', { planId, goalId, reason: 'no agent', retries: 1 });
    expect((await retry()).body.eventId).not.toBe(first.body.eventId);
    await publish('plan.completed', { planId, goalId, outputs: {} });
    expect((await retry()).body).toMatchObject({ code: 'CONFLICT', detail: expect.stringContaining('completed') });
  });
});
