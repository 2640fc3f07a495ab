// Tasks as an agent does them, on a whole core: answered, failed, cancelled, too late, delivered again.
import type { Json, SwarmEvent, TaskAssigned } from '@hypercode/contracts';
import { type SpawnedCore, trackLeaks, waitFor } from '@hypercode/testkit';
import { guardProcess } from '@hypercode/testkit/death-guard';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
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
} from '@hypercode/client';
import { spawnCore } from '../fixtures/spawn-core.ts';

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

const nextName = (): string => `worker-${(count += 1)}`;

async function join(): Promise<ConnectedAgent> {
  const [url, token, name] = [core.url, core.joinToken, nextName()];
  const agent = await connectAgent({ url, token, name, role: 'worker', version: '1.0.0' });
  stack.push(() => agent.stop());
  return agent;
}

async function workerWith(handlers: Record<string, TaskHandler>, options?: ServeTasksOptions): Promise<ConnectedAgent> {
  const agent = await join();
  serveTasks(agent, handlers, options);
  return agent;
}

/** A worker as a process of its own, whose task gives the process's number, or never ends. */
function workerProcess(name: string, work: 'ends' | 'hangs'): { child: ChildProcess; exited: Promise<unknown> } {
  const program = `
    import { connectAgent, serveTasks } from '@hypercode/client';
    const { URL: url, TOKEN: token, NAME: name } = process.env;
    const agent = await connectAgent({ url, token, name, role: 'worker', version: '1.0.0' });
    const work = ${work === 'ends' ? '() => process.pid' : '() => new Promise(() => {})'};
    serveTasks(agent, { work }, { ackDeadlineMs: 1_000 });
  `;
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', program];
  const env = { PATH: process.env['PATH'], URL: core.url, TOKEN: core.joinToken, NAME: name };
  const child = spawn(process.execPath, args, {
    cwd: import.meta.dirname,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const release = guardProcess(child.pid ?? 0);
  const exited = once(child, 'exit').then(release);
  stack.push(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { child, exited };
}

/** Assigns a task as the Architect would. */
async function assign(
  { agent: { name } }: { agent: { name: string } },
  task: Partial<TaskAssigned> = {},
): Promise<TaskAssigned> {
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
  await operator.publish(`task.${name}.assigned`, assigned, { id: taskEventId(assigned, 'assigned') });
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
  const agent = await join();
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
    { message: expect.stringContaining('the output cannot be sent'), retryable: false },
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

test('a handler that does not heed its signal holds up neither the answer nor the next task', async () => {
  const agent = await workerWith({ work: () => new Promise(() => {}), quick: () => 'quick' }, { concurrency: 1 });
  const task = await assign(agent, { deadlineAt: new Date(Date.now() + 700).toISOString() });
  const next = await assign(agent, { capability: 'quick' });
  await heardOf(task, 'failed');
  await heardOf(next, 'completed');
});

test('two attempts at a task have an answer each', async () => {
  let runs = 0;
  const agent = await workerWith({ work: () => ((runs += 1) === 1 ? Promise.reject(new Error('once')) : runs) });
  const first = await assign(agent);
  await heardOf(first, 'failed');
  const second = await assign(agent, { ...first, attempt: 2 });
  const { data, event } = await heardOf(second, 'completed');
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
  const task = await assign(agent);
  // A delivery that was given up counts as one more attempt of the group.
  const groupOf = async () => (await operator.bus.groups({})).groups.find(({ group }) => group === name);
  await waitFor(() => runs === 1, { what: 'the work to begin' });
  await waitFor(async () => (await groupOf())?.deadLetters === 1, {
    what: 'the group to have given up',
    timeoutMs: 30_000,
  });
  resolve('done');
  await heardOf(task, 'completed');
  await waitFor(
    async () => {
      const group = await groupOf();
      return group?.inFlight === 0 && group.waiting === 0 && group.deadLetters === 0;
    },
    { what: 'the assignment to be settled' },
  );
  expect(runs).toBe(1);
  expect(kindsOf(task)).toEqual(['accepted', 'completed']);
});

test('a task whose process was killed is done by the next process', async () => {
  const name = nextName();
  const first = workerProcess(name, 'hangs');
  const task = await assign({ agent: { name } });
  await heardOf(task, 'accepted');
  first.child.kill('SIGKILL');
  await first.exited;
  const second = workerProcess(name, 'ends');
  expect((await heardOf(task, 'completed')).data['output']).toBe(second.child.pid);
  expect(kindsOf(task)).toEqual(['accepted', 'completed']);
});

test('a task that is under way when the agent stops is not answered', async () => {
  const agent = await workerWith({ work: () => new Promise(() => {}) });
  const task = await assign(agent);
  await heardOf(task, 'accepted');
  await agent.stop();
  expect(kindsOf(task)).toEqual(['accepted']);
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
