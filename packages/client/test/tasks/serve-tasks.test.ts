// Tasks as an agent does them, on a whole core: answered, failed, cancelled, too late, delivered again.
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import type { SwarmEvent } from '@hypercode/contracts';
import { trackLeaks, waitFor } from '@hypercode/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  connectAgent,
  type ConnectedAgent,
  createSwarmClient,
  serveTasks,
  type ServeTasksOptions,
  type SwarmClient,
  taskEventId,
  TaskError,
  type TaskHandler,
} from '../../src/index.ts';
import { conversationOf, TaskDesk, TRACEPARENT } from './task-desk.ts';

let core: TestCore;
let operator: SwarmClient;
let desk: TaskDesk;
let count = 0;
const stack: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  core = await sharedCore();
  const { url, adminToken: token, namespace } = core;
  operator = createSwarmClient({ url, token, namespace });
  desk = new TaskDesk(operator);
}, START_TIMEOUT_MS);
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});
afterAll(() => operator?.close());

async function join(): Promise<ConnectedAgent> {
  const { url, joinToken: token, namespace } = core;
  const name = `worker-${(count += 1)}`;
  const agent = await connectAgent({ url, token, namespace, name, role: 'worker', version: '1.0.0' });
  stack.push(() => agent.stop());
  return agent;
}

async function workerWith(handlers: Record<string, TaskHandler>, options?: ServeTasksOptions): Promise<ConnectedAgent> {
  const agent = await join();
  serveTasks(agent, handlers, options);
  return agent;
}

test('a task is accepted and completed, under the ids that name the attempt', async () => {
  const agent = await join();
  serveTasks(agent, {
    async work({ input, dependencies }) {
      await agent.client.publish(`task.${agent.agent.name}.noted`, { planId });
      return { input, dependencies };
    },
  });
  const planId = crypto.randomUUID();
  const task = await desk.assign(agent.agent.name, { planId, input: { n: 1 }, dependencies: { before: 'x' } });
  const { data, event } = await desk.answerOf(task, 'completed');
  expect(data['output']).toEqual({ input: { n: 1 }, dependencies: { before: 'x' } });
  expect(event.id).toBe(taskEventId(task, 'completed'));
  expect(desk.kindsOf(task)).toEqual(['accepted', 'noted', 'completed']);
  // The handler's own events, too.
  const correlation = { correlationId: conversationOf(task), causationId: taskEventId(task, 'assigned') };
  for (const kind of ['accepted', 'noted', 'completed']) {
    expect((await desk.answerOf(task, kind)).event).toMatchObject({ ...correlation, traceparent: TRACEPARENT });
  }
});

test('what was assigned before it served is done, too', async () => {
  const agent = await join();
  const task = await desk.assign(agent.agent.name);
  serveTasks(agent, { work: () => 'done' });
  expect((await desk.answerOf(task, 'completed')).data['output']).toBe('done');
});

test('what was cancelled before it served, or is for another process, is not begun', async () => {
  const agent = await join();
  const { name, incarnation } = agent.agent;
  const cancelled = await desk.assign(name);
  const { planId, taskId, attempt } = cancelled;
  await operator.publish(`task.${name}.cancelled`, { planId, taskId, attempt, reason: 'not wanted' });
  const ofAnother = await desk.assign(name, { incarnation: crypto.randomUUID() });
  serveTasks(agent, { work: () => 'done' });
  await desk.answerOf(await desk.assign(name, { incarnation }), 'completed');
  expect(desk.kindsOf(cancelled)).toEqual(['cancelled']);
  expect(desk.kindsOf(ofAnother)).toEqual([]);
});

test('an output that is given by reference is read from the log', async () => {
  const agent = await workerWith({ work: ({ dependencies }) => dependencies });
  const attempt = { planId: crypto.randomUUID(), taskId: 'before', attempt: 1 };
  const output = { ref: 'a text' };
  const { position: ref } = await operator.publish('task.another.completed', { ...attempt, output });
  const task = await desk.assign(agent.agent.name, { planId: attempt.planId, dependencies: { before: { ref } } });
  const isAnswer = ({ id }: SwarmEvent): boolean => id === taskEventId(task, 'completed');
  const answer = await waitFor(() => desk.events.find(isAnswer), { what: 'the answer' });
  expect(answer.data).toMatchObject({ output: { before: output } });
});

test('nothing is null', async () => {
  const agent = await workerWith({ work: () => {} });
  expect((await desk.answerOf(await desk.assign(agent.agent.name), 'completed')).data['output']).toBeNull();
});

test('progress is published', async () => {
  const agent = await workerWith({
    work: (_, { progress }) => {
      progress(0.5, 'half');
      progress(0.6);
    },
  });
  const task = await desk.assign(agent.agent.name);
  await desk.answerOf(task, 'completed');
  expect((await desk.answerOf(task, 'progress')).data).toMatchObject({ progress: 0.5, message: 'half' });
  expect(desk.kindsOf(task).filter((kind) => kind === 'progress')).toHaveLength(1);
});

test.each([
  ['an error', () => Promise.reject(new Error('no luck')), { message: 'no luck', retryable: true }],
  [
    'an error that no retry can help',
    () => Promise.reject(new TaskError('never', { retryable: false })),
    { message: 'never', retryable: false },
  ],
  [
    'an output that is no JSON',
    () => Number.NaN,
    { message: expect.stringContaining('the output cannot be sent'), retryable: false },
  ],
  [
    'an output that is too large',
    () => 'x'.repeat(300_000),
    { message: expect.stringContaining('262144'), retryable: false },
  ],
])('%s fails the attempt', async (_, work, error) => {
  const agent = await workerWith({ work });
  const task = await desk.assign(agent.agent.name);
  const failed = await desk.answerOf(task, 'failed');
  expect(failed.data['error']).toEqual(error);
  expect(failed.event.id).toBe(taskEventId(task, 'failed'));
  expect(desk.kindsOf(task)).toEqual(['accepted', 'failed']);
});

test('a capability that it does not have fails the attempt', async () => {
  const agent = await workerWith({ work: () => 1 });
  const failed = await desk.answerOf(await desk.assign(agent.agent.name, { capability: 'constructor' }), 'failed');
  expect(failed.data['error']).toMatchObject({ retryable: true, message: expect.stringContaining('constructor') });
});

/** Runs until its signal is aborted. */
const endless: TaskHandler = (_, { signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

test('a task that is cancelled ends without an answer', async () => {
  const reasons: string[] = [];
  const agent = await workerWith({
    work: (task, context) => {
      context.signal.addEventListener('abort', () => reasons.push(String(context.signal.reason.message)));
      return endless(task, context);
    },
    quick: () => 'quick',
  });
  const task = await desk.assign(agent.agent.name);
  await desk.answerOf(task, 'accepted');
  const { planId, taskId, attempt } = task;
  await operator.publish(`task.${agent.agent.name}.cancelled`, { planId, taskId, attempt, reason: 'not wanted' });
  await waitFor(() => reasons.length > 0, { what: 'the handler to hear of it' });
  expect(reasons[0]).toContain('not wanted');
  // It has room for the next one, and has said nothing.
  await desk.answerOf(await desk.assign(agent.agent.name, { capability: 'quick' }), 'completed');
  expect(desk.kindsOf(task)).toEqual(['accepted', 'cancelled']);
});

test('a task that takes longer than it may fails at its deadline', async () => {
  const agent = await workerWith({ work: endless });
  const task = await desk.assign(agent.agent.name, { deadlineAt: new Date(Date.now() + 700).toISOString() });
  expect((await desk.answerOf(task, 'failed')).data['error']).toMatchObject({
    retryable: true,
    message: expect.stringContaining('deadline'),
  });
});

test('a handler that does not heed its signal holds up neither the answer nor the next task', async () => {
  const agent = await workerWith({ work: () => new Promise(() => {}), quick: () => 'quick' }, { concurrency: 1 });
  const task = await desk.assign(agent.agent.name, { deadlineAt: new Date(Date.now() + 700).toISOString() });
  const next = await desk.assign(agent.agent.name, { capability: 'quick' });
  await desk.answerOf(task, 'failed');
  await desk.answerOf(next, 'completed');
});

test('two attempts at a task have an answer each', async () => {
  let runs = 0;
  const agent = await workerWith({ work: () => ((runs += 1) === 1 ? Promise.reject(new Error('once')) : runs) });
  const first = await desk.assign(agent.agent.name);
  await desk.answerOf(first, 'failed');
  const second = await desk.assign(agent.agent.name, { ...first, attempt: 2 });
  const { data, event } = await desk.answerOf(second, 'completed');
  expect(data).toMatchObject({ attempt: 2, output: 2 });
  expect(event.id).toBe(taskEventId(second, 'completed'));
});

test('a task that lasts longer than its delivery may is done once, and answered once', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  let runs = 0;
  const agent = await workerWith(
    {
      work() {
        runs += 1;
        return promise;
      },
    },
    { ackDeadlineMs: 200 },
  );
  const { name } = agent.agent;
  const task = await desk.assign(agent.agent.name);
  const groupOf = async () => (await operator.bus.groups({})).groups.find(({ group }) => group === name);
  await waitFor(() => runs === 1, { what: 'the work to begin' });
  const beganAt = performance.now();
  await waitFor(() => performance.now() - beganAt > 5 * 200, { what: 'five deadlines' });
  resolve('done');
  await desk.answerOf(task, 'completed');
  await waitFor(
    async () => {
      const group = await groupOf();
      return group?.inFlight === 0 && group.waiting === 0 && group.deadLetters === 0;
    },
    { what: 'the assignment to be settled' },
  );
  expect(runs).toBe(1);
  expect(desk.kindsOf(task)).toEqual(['accepted', 'completed']);
});

test('a task that is under way when the agent stops is not answered', async () => {
  const agent = await workerWith({ work: () => new Promise(() => {}) });
  const task = await desk.assign(agent.agent.name);
  await desk.answerOf(task, 'accepted');
  await agent.stop();
  expect(desk.kindsOf(task)).toEqual(['accepted']);
});

test('a task whose deadline has passed is not answered', async () => {
  const agent = await workerWith({ work: () => 'done' });
  const late = await desk.assign(agent.agent.name, { deadlineAt: new Date(Date.now() - 1).toISOString() });
  await desk.answerOf(await desk.assign(agent.agent.name), 'completed');
  expect(desk.kindsOf(late)).toEqual([]);
});

test('no socket or timer is left', async () => {
  const leaks = trackLeaks();
  const agent = await workerWith({ work: () => 1 });
  await desk.answerOf(await desk.assign(agent.agent.name), 'completed');
  await agent.stop();
  await leaks.check();
});
