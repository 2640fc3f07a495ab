// Goals from their submission to their end, with a test in the place of the Architect and the agents.
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { trackLeaks, waitFor } from '@hypercode/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSwarmClient, type GoalEvent, GoalError, type SwarmClient } from '../../src/index.ts';

let core: TestCore;
let client: SwarmClient;
let architect: SwarmClient;

beforeAll(async () => {
  core = await sharedCore();
  const options = { url: core.url, namespace: core.namespace, token: core.adminToken };
  client = createSwarmClient(options);
  architect = createSwarmClient(options);
}, START_TIMEOUT_MS);

afterAll(async () => {
  await Promise.all([client?.close(), architect?.close()]);
});

const newPlanId = (): string => crypto.randomUUID();
const created = (planId: string, goalId: string) =>
  architect.publish('plan.created', { planId, goalId, title: 't', tasks: [], planner: 'steps', deadlineAt: null });

async function topicsOf(events: AsyncIterable<GoalEvent>): Promise<string[]> {
  const topics: string[] = [];
  for await (const { topic } of events) topics.push(topic);
  return topics;
}

describe('a goal that is submitted', () => {
  test('is followed to its result, whatever happened before somebody asked', async () => {
    const goal = await client.goals.submit({ title: 'count to ten' });
    const other = await client.goals.submit({ title: 'count to nine' });
    const [planId, otherPlan] = [newPlanId(), newPlanId()];
    await created(otherPlan, other.goalId);
    await created(planId, goal.goalId);
    await architect.publish('task.ada.assigned', { planId, taskId: 'count' });
    await architect.publish('task.bob.assigned', { planId: otherPlan, taskId: 'count' });
    await architect.publish('task.ada.completed', { planId, taskId: 'count', attempt: 1, output: 10 });
    await architect.publish('plan.failed', { planId: otherPlan, goalId: other.goalId, reason: 'no agent can count' });
    await architect.publish('plan.completed', { planId, goalId: goal.goalId, outputs: { count: 10 } });

    expect(await goal.result()).toEqual({ goalId: goal.goalId, planId, outputs: { count: 10 }, omitted: 0 });
    expect(await topicsOf(goal.events())).toEqual([
      'plan.created',
      'task.ada.assigned',
      'task.ada.completed',
      'plan.completed',
    ]);
    const error: unknown = await other.result().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GoalError);
    expect(error).toMatchObject({ end: 'failed', goalId: other.goalId, reason: 'no agent can count' });
  });

  test('is on the bus as the client gave it, under its goalId', async () => {
    const goal = await client.goals.submit({
      title: 'with steps',
      steps: [{ id: 'a', title: 'A', capability: 'count' }],
    });
    const { events } = await client.bus.read({ topics: ['goal.submitted'], at: goal.position });
    expect(events[0]).toMatchObject({
      position: goal.position,
      event: {
        id: goal.eventId,
        topic: 'goal.submitted',
        correlationId: goal.goalId,
        data: { goalId: goal.goalId, title: 'with steps', steps: [{ id: 'a', title: 'A', capability: 'count' }] },
      },
    });
  });

  test('again is the same goal, whatever it contains', async () => {
    const goalId = crypto.randomUUID();
    const first = await client.goals.submit({ goalId, title: 'once' });
    await architect.publish('plan.failed', { planId: first.planId, goalId, reason: 'no agent' });
    for (const title of ['once', 'twice']) {
      const again = await client.goals.submit({ goalId: goalId.toUpperCase(), title });
      expect(again).toMatchObject({ goalId, planId: first.planId, eventId: first.eventId, position: first.position });
      await expect(again.result()).rejects.toMatchObject({ end: 'failed' });
    }
  });

  test('is refused at once when it is no goal, with the path of what is wrong', async () => {
    const step = { id: 'a', title: 'A', capability: 'count' };
    const refused = (goal: Parameters<typeof client.goals.submit>[0]) =>
      client.goals.submit(goal).catch((thrown: unknown) => thrown);
    expect(await refused({ title: '' })).toMatchObject({ code: 'INVALID_INPUT', details: [{ path: 'title' }] });
    expect(await refused({ title: 'x', steps: [{ ...step, dependsOn: ['b'] }] })).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('depends on "b", which is not a task of the plan'),
      details: [{ path: 'steps' }],
    });
  });

  test('and has failed goes on from there when it is retried, and is followed from then on', async () => {
    const goal = await client.goals.submit({ title: 'again' });
    const { goalId, planId } = goal;
    await expect(goal.retry()).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('planning'),
    });
    await architect.publish('plan.failed', { planId, goalId, reason: 'no agent' });
    await expect(goal.result()).rejects.toMatchObject({ end: 'failed' });
    const retried = await goal.retry('an agent is there now');
    const { events } = await client.bus.read({ topics: ['plan.retry'], at: retried.position });
    expect(events[0]?.event.data).toEqual({ planId, reason: 'an agent is there now' });
    expect(await client.plans.get({ planId })).toMatchObject({ status: 'planning', retries: 1 });
    expect((await goal.retry()).position).toBe(retried.position);
    await architect.publish('plan.completed', { planId, goalId, outputs: { a: 1 } });
    expect(await retried.result()).toMatchObject({ goalId, planId, outputs: { a: 1 } });
    await expect(goal.retry()).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('is cancelled with a reason', async () => {
    const goal = await client.goals.submit({ title: 'give up' });
    const result = goal.result().catch((thrown: unknown) => thrown);
    const cancelled = Promise.withResolvers<unknown>();
    const listener = architect.on('goal.cancelled', ({ data }) => cancelled.resolve(data));
    await listener.attached;
    await goal.cancel('not needed');
    expect(await cancelled.promise).toEqual({ goalId: goal.goalId, reason: 'not needed' });
    listener.stop();
    await architect.publish('plan.cancelled', { planId: newPlanId(), goalId: goal.goalId, reason: 'not needed' });
    expect(await result).toMatchObject({ name: 'GoalError', end: 'cancelled', reason: 'not needed' });
    expect(await topicsOf(goal.events())).toEqual(['goal.cancelled', 'plan.cancelled']);
  });

  test('is rejected with the reason of the Architect', async () => {
    const goal = await client.goals.submit({ title: 'x' });
    await architect.publish('goal.rejected', { eventId: newPlanId(), source: '/x', reason: 'another goal' });
    await architect.publish('goal.rejected', { eventId: goal.eventId, source: '/x', reason: 'title: too short' });
    await expect(goal.result()).rejects.toMatchObject({ end: 'rejected', reason: 'title: too short' });
  });

  test('has outputs that are handed on by reference', async () => {
    const goal = await client.goals.submit({ title: 'a long text' });
    const planId = newPlanId();
    const { position } = await architect.publish('task.ada.completed', {
      planId,
      taskId: 'w',
      attempt: 1,
      output: 'long',
    });
    await architect.publish('plan.completed', {
      planId,
      goalId: goal.goalId,
      outputs: { w: { ref: position }, n: 7 },
      omitted: 1,
    });
    expect(await goal.result()).toMatchObject({ outputs: { w: 'long', n: 7 }, omitted: 1 });
  });
});

describe('the streams of a goal', () => {
  test('are resumed over a lost connection', async () => {
    const lost: (() => void)[] = [];
    const cutting: typeof fetch = (input, init) => {
      const cut = new AbortController();
      lost.push(() => cut.abort());
      return fetch(input, { ...init, signal: AbortSignal.any([cut.signal, ...(init?.signal ? [init.signal] : [])]) });
    };
    const options = { url: core.url, namespace: core.namespace, token: core.adminToken, logger: false } as const;
    const unlucky = createSwarmClient({ ...options, fetch: cutting });
    const goal = await unlucky.goals.submit({ title: 'through storms' });
    const topics: string[] = [];
    const reading = (async () => {
      for await (const { topic } of goal.events()) topics.push(topic);
    })();
    const planId = newPlanId();
    await created(planId, goal.goalId);
    await waitFor(() => topics.length === 1, { what: 'the plan' });
    for (const cut of lost) cut();
    await architect.publish('task.ada.progress', { planId, taskId: 'a', attempt: 1, progress: 0.5 });
    await architect.publish('plan.completed', { planId, goalId: goal.goalId, outputs: {} });
    await reading;
    expect(topics).toEqual(['plan.created', 'task.ada.progress', 'plan.completed']);
    await unlucky.close();
  });

  test('end when the reader leaves, with their signals, with the time and with the client, and leak nothing', async () => {
    const options = { url: core.url, namespace: core.namespace, token: core.adminToken };
    await client.registry.query();
    const leaks = trackLeaks();
    const own = createSwarmClient(options);
    const goal = await own.goals.submit({ title: 'never' });
    const planId = newPlanId();
    await created(planId, goal.goalId);
    for await (const { topic } of goal.events()) {
      expect(topic).toBe('plan.created');
      break;
    }
    const end = new AbortController();
    const reading = topicsOf(goal.events({ signal: end.signal }));
    const waiting = goal.result({ signal: end.signal });
    end.abort();
    expect(await reading).toBeInstanceOf(Array);
    await expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(goal.result({ timeoutMs: 20 })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('20 ms'),
    });
    const last = [goal.result(), topicsOf(goal.events())] as const;
    await own.close();
    await expect(last[0]).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await last[1];
    await leaks.check();
  });

  test('of a caller without the right to receive them reject', async () => {
    const { token } = await architect.registry.register({ name: 'mute', role: 'worker', version: '1.0.0' });
    const mute = createSwarmClient({ url: core.url, namespace: core.namespace, token: token ?? '' });
    await expect(mute.goals.submit({ title: 'x' })).rejects.toMatchObject({ code: 'ACL_DENIED' });
    await mute.close();
  });
});
