// Tasks as an agent does them, on a whole core: answered, failed, cancelled, too late, delivered again.
import type { Json, SwarmEvent, TaskAssigned } from '@hypercode/contracts';
import { spawnCore, type SpawnedCore, trackLeaks, waitFor } from '@hypercode/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  connectAgent,
  type ConnectedAgent,
  createSwarmClient,
  serveTasks,
  type SwarmClient,
  taskEventId,
  TaskError,
  type TaskHandler,
} from './index.ts';

let core: SpawnedCore;
let operator: SwarmClient;
let heard: SwarmEvent[];
let count = 0;
const stack: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  core = await spawnCore({ startTimeoutMs: 90_000 });
  operator = createSwarmClient({ url: core.url, token: core.adminToken });
  heard = [];
  operator.on('task.>', (event) => heard.push(event));
});
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});
afterAll(async () => {
  await operator?.close();
  await core?.close();
});

async function workerWith(handlers: Record<string, TaskHandler>): Promise<ConnectedAgent> {
  count += 1;
  const name = `worker-${count}`;
  const agent = await connectAgent({ url: core.url, token: core.joinToken, name, role: 'worker', version: '1.0.0' });
  stack.push(() => agent.stop());
  serveTasks(agent, handlers);
  return agent;
}

/** Assigns a task as the Architect would. */
async function assign(agent: ConnectedAgent, task: Partial<TaskAssigned> = {}): Promise<TaskAssigned> {
  const assigned: TaskAssigned = {
    planId: crypto.randomUUID(),
    goalId: crypto.randomUUID(),
    taskId: 't1',
    attempt: 1,
    capability: 'work',
    title: 'work',
    input: null,
    dependencies: {},
    deadlineAt: new Date(Date.now() + 60_000).toISOString(),
    incarnation: null,
    ...task,
  };
  await operator.publish(`task.${agent.agent.name}.assigned`, assigned, { id: taskEventId(assigned, 'assigned') });
  return assigned;
}

const saidOf = ({ planId }: TaskAssigned): { kind: string; event: SwarmEvent; data: Record<string, Json> }[] =>
  heard.flatMap((event) => {
    const data = event.data as Record<string, Json>;
    const kind = event.topic.split('.')[2] ?? '';
    return data['planId'] === planId && kind !== 'assigned' ? [{ kind, event, data }] : [];
  });
const kindsOf = (task: TaskAssigned): string[] => saidOf(task).map(({ kind }) => kind);
const heardOf = (task: TaskAssigned, kind: string) =>
  waitFor(() => saidOf(task).find((said) => said.kind === kind), { what: `"${kind}" of the task` });

test('a task is accepted and completed, under the ids that name the attempt', async () => {
  const agent = await workerWith({ work: ({ input, dependencies }) => ({ input, dependencies }) });
  const task = await assign(agent, { input: { n: 1 }, dependencies: { before: 'x' } });
  const { data, event } = await heardOf(task, 'completed');
  expect(data['output']).toEqual({ input: { n: 1 }, dependencies: { before: 'x' } });
  expect(event).toMatchObject({
    id: taskEventId(task, 'completed'),
    correlationId: task.goalId,
    causationId: taskEventId(task, 'assigned'),
  });
  expect(kindsOf(task)).toEqual(['accepted', 'completed']);
});

test('what was assigned before it served is done, too', async () => {
  count += 1;
  const name = `worker-${count}`;
  const agent = await connectAgent({ url: core.url, token: core.joinToken, name, role: 'worker', version: '1.0.0' });
  stack.push(() => agent.stop());
  const task = await assign(agent);
  serveTasks(agent, { work: () => 'done' });
  expect((await heardOf(task, 'completed')).data['output']).toBe('done');
});

test('nothing is null', async () => {
  const agent = await workerWith({ work: () => {} });
  expect((await heardOf(await assign(agent), 'completed')).data['output']).toBeNull();
});

test('progress is told', async () => {
  const agent = await workerWith({
    work: (_, { progress }) => {
      progress(0.5, 'half');
      progress(0.6);
    },
  });
  const task = await assign(agent);
  await heardOf(task, 'completed');
  expect((await heardOf(task, 'progress')).data).toMatchObject({ progress: 0.5, message: 'half' });
  expect(kindsOf(task).filter((kind) => kind === 'progress')).toHaveLength(1);
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
    { message: expect.stringContaining('the output can not be sent'), retryable: false },
  ],
  [
    'an output that is too large',
    () => 'x'.repeat(300_000),
    { message: expect.stringContaining('262144'), retryable: false },
  ],
])('%s fails the attempt', async (_, work, error) => {
  const agent = await workerWith({ work });
  const task = await assign(agent);
  const failed = await heardOf(task, 'failed');
  expect(failed.data['error']).toEqual(error);
  expect(failed.event.id).toBe(taskEventId(task, 'failed'));
  expect(kindsOf(task)).toEqual(['accepted', 'failed']);
});

test('a capability that it does not have fails the attempt', async () => {
  const agent = await workerWith({ work: () => 1 });
  const failed = await heardOf(await assign(agent, { capability: 'constructor' }), 'failed');
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
  const task = await assign(agent);
  await heardOf(task, 'accepted');
  const { planId, taskId, attempt } = task;
  await operator.publish(`task.${agent.agent.name}.cancelled`, { planId, taskId, attempt, reason: 'not wanted' });
  await waitFor(() => reasons.length > 0, { what: 'the handler to hear of it' });
  expect(reasons[0]).toContain('not wanted');
  // It has room for the next one, and has said nothing.
  await heardOf(await assign(agent, { capability: 'quick' }), 'completed');
  expect(kindsOf(task)).toEqual(['accepted', 'cancelled']);
});

test('a task that takes longer than it may fails at its deadline', async () => {
  const agent = await workerWith({ work: endless });
  const task = await assign(agent, { deadlineAt: new Date(Date.now() + 700).toISOString() });
  expect((await heardOf(task, 'failed')).data['error']).toMatchObject({
    retryable: true,
    message: expect.stringContaining('deadline'),
  });
});

test('a task whose deadline has passed is with somebody else', async () => {
  const agent = await workerWith({ work: () => 'done' });
  const late = await assign(agent, { deadlineAt: new Date(Date.now() - 1).toISOString() });
  await heardOf(await assign(agent), 'completed');
  expect(kindsOf(late)).toEqual([]);
});

test('an answer that does not get through is said when the core is back, and the work is not done again', async () => {
  let runs = 0;
  const agent = await workerWith({
    work: async () => {
      runs += 1;
      core.kill('SIGKILL');
      await core.exited;
      return 'done';
    },
  });
  const task = await assign(agent).catch(() => null);
  await core.exited;
  await core.restart();
  const isDone = ({ topic, data }: SwarmEvent): boolean =>
    topic === `task.${agent.agent.name}.completed` && (task === null || JSON.stringify(data).includes(task.planId));
  await waitFor(() => heard.some(isDone), { what: 'the answer', timeoutMs: 60_000 });
  expect(runs).toBe(1);
  expect(heard.filter(isDone)).toHaveLength(1);
});

test('nothing is left behind', async () => {
  const leaks = trackLeaks();
  const agent = await workerWith({ work: () => 1 });
  await heardOf(await assign(agent), 'completed');
  await agent.stop();
  await leaks.check();
});
