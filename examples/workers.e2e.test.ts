// The example workers as processes beside a real core: both do tasks, survive a core that is killed, and leave in order.
import { createSwarmClient, type SwarmClient, type SwarmEvent, taskEventId } from '@hypercode/client';
import { freePort, type SpawnedCore, spawnCore, waitFor } from '@hypercode/testkit';
import { guardProcess } from '@hypercode/testkit/death-guard';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

let core: SpawnedCore;
let operator: SwarmClient;
const heard: SwarmEvent[] = [];
const stack: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  core = await spawnCore({ env: { SWARM_LEASE_MS: '3000' } });
  operator = createSwarmClient({ url: core.url, token: core.adminToken });
  operator.on('task.>', (event) => heard.push(event));
});
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});
afterAll(async () => {
  await operator?.close();
  await core?.close();
});

const PROGRAMS = {
  typescript: [process.execPath, '--import', import.meta.resolve('tsx'), 'task-worker.ts'],
  python: ['python3', '-u', 'python/worker.py'],
} as const;

interface Worker {
  readonly process: ChildProcess;
  readonly exited: Promise<number | null>;
  output(): string;
}

/** Resolves when it waits for tasks. */
async function start(kind: keyof typeof PROGRAMS, name: string, env: Record<string, string> = {}): Promise<Worker> {
  const [command, ...args] = PROGRAMS[kind];
  const { PATH, HOME } = process.env;
  const child = spawn(command, args, {
    cwd: import.meta.dirname,
    env: { PATH, HOME, SWARM_URL: core.url, SWARM_TOKEN: core.joinToken, AGENT_NAME: name, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Without python3 there is no process, and the suite fails here.
  if (child.pid === undefined) await once(child, 'spawn');
  const release = guardProcess(child.pid ?? 0);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'exit').then(([code]: (number | null)[]) => {
    release();
    return code ?? null;
  });
  stack.push(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  });
  await waitFor(() => output.includes('waits for tasks'), {
    what: `${kind} worker to join: ${output}`,
    timeoutMs: 30_000,
  });
  return { process: child, exited, output: () => output };
}

function assign(name: string, capability: string, more: object = {}) {
  const attempt = { planId: crypto.randomUUID(), taskId: 't', attempt: 1 };
  const task = {
    ...attempt,
    goalId: crypto.randomUUID(),
    capability,
    title: 'A title',
    input: { text: 'One point. Another point. A third one.' },
    dependencies: {},
    deadlineAt: new Date(Date.now() + 60_000).toISOString(),
    ...more,
  };
  const done = operator.publish(`task.${name}.assigned`, task, { id: taskEventId(attempt, 'assigned') });
  return { attempt, done };
}

const answerTo = ({ planId }: { planId: string }): Promise<SwarmEvent> =>
  waitFor(
    () =>
      heard.find(({ topic, data }) => /\.(?:completed|failed)$/.test(topic) && JSON.stringify(data).includes(planId)),
    {
      what: 'an answer',
      timeoutMs: 30_000,
    },
  );

describe.each([
  ['typescript', 'outline', { points: ['One point.', 'Another point.', 'A third one.'] }],
  ['python', 'write', { title: 'A title', document: '# A title\n\nOne point. Another point. A third one.\n' }],
] as const)('the worker in %s', (kind, capability, output) => {
  test('does tasks, and answers each under the id of its attempt', async () => {
    await start(kind, `${kind}-a`);
    const { attempt, done } = assign(`${kind}-a`, capability);
    await done;
    const answer = await answerTo(attempt);
    expect(answer).toMatchObject({ id: taskEventId(attempt, 'completed'), data: { ...attempt, output } });
    expect(heard.some(({ id }) => id === taskEventId(attempt, 'accepted'))).toBe(true);
  });

  test('says what it can not do', async () => {
    await start(kind, `${kind}-b`);
    const { attempt, done } = assign(`${kind}-b`, 'fly');
    await done;
    const { topic, data } = await answerTo(attempt);
    expect(topic).toBe(`task.${kind}-b.failed`);
    expect(data).toMatchObject({ error: { retryable: true, message: expect.stringContaining('fly') } });
  });

  test('does what was assigned while it was away, and leaves what is too late', async () => {
    const first = await start(kind, `${kind}-c`);
    first.process.kill('SIGKILL');
    await first.exited;
    const late = assign(`${kind}-c`, capability, { deadlineAt: new Date(Date.now() - 1).toISOString() });
    await late.done;
    const { attempt, done } = assign(`${kind}-c`, capability);
    await done;
    await start(kind, `${kind}-c`);
    expect(await answerTo(attempt)).toMatchObject({ topic: `task.${kind}-c.completed` });
    expect(heard.some(({ id }) => id === taskEventId(late.attempt, 'accepted'))).toBe(false);
  });

  test('goes on when the core was killed', async () => {
    await start(kind, `${kind}-d`);
    core.kill('SIGKILL');
    await core.exited;
    await core.restart();
    const { attempt, done } = assign(`${kind}-d`, capability);
    await done;
    expect(await answerTo(attempt)).toMatchObject({ topic: `task.${kind}-d.completed` });
  });

  test('shows its health, drains at SIGTERM, and leaves', async () => {
    const port = await freePort();
    const worker = await start(kind, `${kind}-e`, { HEALTH_PORT: String(port) });
    const health = await fetch(`http://127.0.0.1:${port}/health`);
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({ status: 'ok' });
    worker.process.kill('SIGTERM');
    expect(await worker.exited).toBe(0);
    const { items } = await operator.registry
      .history({ name: `${kind}-e` })
      .then((history) => ({ items: history.changes.map(({ change, agent }) => `${change} ${agent.status.activity}`) }));
    expect(items.slice(0, 2)).toEqual(['deregistered draining', 'status draining']);
  });

  test('ends when a newer process has its name', async () => {
    const older = await start(kind, `${kind}-f`);
    await start(kind, `${kind}-f`);
    const { attempt, done } = assign(`${kind}-f`, capability);
    await done;
    expect(await answerTo(attempt)).toMatchObject({ topic: `task.${kind}-f.completed` });
    await waitFor(() => older.process.exitCode !== null, { what: 'the older one to end', timeoutMs: 60_000 });
  });
});
