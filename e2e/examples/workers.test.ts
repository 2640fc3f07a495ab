// The example workers as processes beside a real core: both do tasks, survive a core that is killed, and leave in order.
import { createSwarmClient, type SwarmClient, type SwarmEvent, taskEventId } from '@hypercode/client';
import { freePort, type SpawnedCore, temporaryFolder, waitFor } from '@hypercode/testkit';
import { guardProcess } from '@hypercode/testkit/death-guard';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';

let core: SpawnedCore;
let operator: SwarmClient;
const received: SwarmEvent[] = [];
const stack: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  core = await spawnCore({ env: { SWARM_LEASE_MS: '3000' } });
  operator = createSwarmClient({ url: core.url, token: core.adminToken });
  operator.on('task.>', (event) => received.push(event));
});
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});
afterAll(async () => {
  await operator?.close();
  await core?.close();
});

/** The worker in Python with further capabilities; assignments that it leaves open come again after a second. */
const EXTENDED = `
import os, sys, time
sys.path.insert(0, "python")
import worker

def hold(task):
    while not os.path.exists(os.environ["FLAG"]):
        time.sleep(0.02)
    return "done"

def hopeless(task):
    raise worker.TaskError("never")

worker.ACK_DEADLINE_MS = 1_000
worker.HANDLERS.update({
    "hold": hold,
    "hopeless": hopeless,
    "unlucky": lambda task: 1 / 0,
    "no-json": lambda task: {1, 2},
    "no-number": lambda task: float("nan"),
    "too-large": lambda task: "x" * 300_000,
    "long-winded": lambda task: float("\\U0001F41D" * 5_000),
})
worker.main()
`;
const FOLDER = fileURLToPath(new URL('../../examples', import.meta.url));
const PROGRAMS = {
  typescript: [process.execPath, '--import', import.meta.resolve('tsx'), 'task-worker.ts'],
  python: ['python3', '-u', 'python/worker.py'],
  extended: ['python3', '-u', '-c', EXTENDED],
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
    cwd: FOLDER,
    env: {
      PATH,
      HOME,
      PYTHONDONTWRITEBYTECODE: '1',
      SWARM_URL: core.url,
      SWARM_TOKEN: core.joinToken,
      AGENT_NAME: name,
      ...env,
    },
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
  const joined = () => output.includes('waits for tasks');
  await waitFor(joined, { what: `the ${kind} worker to join`, timeoutMs: 30_000 }).catch((cause: unknown) => {
    throw new Error(`It said: ${output}`, { cause });
  });
  return { process: child, exited, output: () => output };
}

/** What all assignments belong to. */
const CONVERSATION = { correlationId: 'order-7', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };

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
  const id = taskEventId(attempt, 'assigned');
  const done = operator.publish(`task.${name}.assigned`, task, { id, ...CONVERSATION });
  return { attempt, done };
}

/** A way to the core that takes each kind of request only at the third time: 429 first, then a connection that breaks. */
async function badWayTo(url: string): Promise<string> {
  const seen = new Map<string, number>();
  const server = createServer((request, response) => {
    const { method = '', url: path = '', headers } = request;
    const key = `${method} ${path.split('?')[0]}`;
    const times = (seen.get(key) ?? 0) + 1;
    seen.set(key, times);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (times === 1) {
        const problem = { status: 429, code: 'RATE_LIMITED', retryable: true, retryAfterMs: 20, detail: 'slow' };
        response.writeHead(429, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
        return;
      }
      if (times === 2) {
        request.socket.destroy();
        return;
      }
      const body = method === 'GET' ? null : Buffer.concat(chunks);
      const { authorization = '', 'content-type': type = 'application/json' } = headers;
      fetch(new URL(path, url), { method, body, headers: { authorization, 'content-type': type } }).then(
        async (answer) => {
          response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' });
          for await (const chunk of answer.body ?? []) response.write(chunk);
          response.end();
        },
        () => response.destroy(),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stack.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A path without a file. */
function newPath(): string {
  const folder = temporaryFolder('workers');
  stack.push(() => folder.remove());
  return join(folder.path, 'file');
}

const saidOf = ({ planId }: { planId: string }): string[] =>
  received
    .filter(({ data }) => JSON.stringify(data).includes(planId))
    .map(({ topic }) => topic.split('.')[2] ?? '')
    .filter((kind) => kind !== 'assigned');

const answerTo = ({ planId }: { planId: string }): Promise<SwarmEvent> =>
  waitFor(
    () =>
      received.find(
        ({ topic, data }) => /\.(?:completed|failed)$/.test(topic) && JSON.stringify(data).includes(planId),
      ),
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
    const caused = { ...CONVERSATION, causationId: taskEventId(attempt, 'assigned') };
    expect(answer).toMatchObject({ id: taskEventId(attempt, 'completed'), data: { ...attempt, output }, ...caused });
    expect(received.some(({ id }) => id === taskEventId(attempt, 'accepted'))).toBe(true);
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
    expect(received.some(({ id }) => id === taskEventId(late.attempt, 'accepted'))).toBe(false);
  });

  test('leaves what another process of its name had, and what was cancelled while it was away', async () => {
    const name = `${kind}-o`;
    const ofAnother = assign(name, capability, { incarnation: crypto.randomUUID() });
    const cancelled = assign(name, capability);
    await Promise.all([ofAnother.done, cancelled.done]);
    await operator.publish(`task.${name}.cancelled`, { ...cancelled.attempt, reason: 'not wanted' });
    await start(kind, name);
    const { incarnation } = await operator.registry.get({ name });
    const { attempt, done } = assign(name, capability, { incarnation });
    await done;
    expect(await answerTo(attempt)).toMatchObject({ topic: `task.${name}.completed` });
    expect(saidOf(ofAnother.attempt)).toEqual([]);
    expect(saidOf(cancelled.attempt)).toEqual(['cancelled']);
  });

  test('reads outputs that are given by reference', async () => {
    const name = `${kind}-p`;
    await start(kind, name);
    const planId = crypto.randomUUID();
    const text = 'One point. Another point. A third one.';
    const before = { planId, taskId: 'before', attempt: 1, output: { text } };
    const { position: ref } = await operator.publish('task.other.completed', before);
    const next = assign(name, capability, { planId, taskId: 'next', input: null, dependencies: { before: { ref } } });
    await next.done;
    const about =
      (taskId: string) =>
      ({ topic, data }: SwarmEvent) =>
        /\.(?:completed|failed)$/.test(topic) &&
        JSON.stringify(data).includes(`"taskId":"${taskId}"`) &&
        JSON.stringify(data).includes(planId);
    const answerAbout = (taskId: string) =>
      waitFor(() => received.find(about(taskId)), { what: 'an answer', timeoutMs: 30_000 });
    expect((await answerAbout('next')).data).toMatchObject({ output });
    const wrong = assign(name, capability, { planId, taskId: 'wrong', dependencies: { other: { ref } } });
    await wrong.done;
    expect((await answerAbout('wrong')).data).toMatchObject({
      error: { retryable: false, message: expect.stringContaining('the output of the task "other" cannot be read') },
    });
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

  test('joins again when the core does not know it any more', async () => {
    const name = `${kind}-g`;
    await start(kind, name);
    await operator.registry.deregister({ name });
    await waitFor(() => operator.registry.get({ name }), { what: 'it to be back', timeoutMs: 20_000 });
    const { attempt, done } = assign(name, capability);
    await done;
    expect(await answerTo(attempt)).toMatchObject({ topic: `task.${name}.completed` });
  });

  test('works over a bad line, and answers once', async () => {
    await start(kind, `${kind}-h`, { SWARM_URL: await badWayTo(core.url) });
    const { attempt, done } = assign(`${kind}-h`, capability);
    await done;
    expect(await answerTo(attempt)).toMatchObject({ topic: `task.${kind}-h.completed` });
    expect(saidOf(attempt)).toEqual(['accepted', 'completed']);
  });

  test('takes its token from a file', async () => {
    const path = newPath();
    await writeFile(path, `${core.joinToken}\n`);
    await start(kind, `${kind}-i`, { SWARM_TOKEN: '', SWARM_TOKEN_FILE: path });
  });

  test('says that there is nothing to work on, and that no retry can help', async () => {
    await start(kind, `${kind}-j`);
    const { attempt, done } = assign(`${kind}-j`, capability, { input: '' });
    await done;
    expect((await answerTo(attempt)).data).toMatchObject({ error: { retryable: false } });
  });

  test('shows its health, drains at SIGTERM, and leaves', async () => {
    const port = await freePort();
    const worker = await start(kind, `${kind}-e`, { HEALTH_PORT: String(port) });
    const health = await fetch(`http://127.0.0.1:${port}/health`);
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({ status: 'ok' });
    worker.process.kill('SIGTERM');
    expect(await worker.exited).toBe(0);
    expect(worker.output()).not.toContain('could not');
    const { items } = await operator.registry
      .history({ name: `${kind}-e` })
      .then((history) => ({ items: history.changes.map(({ change, agent }) => `${change} ${agent.status.activity}`) }));
    expect(items.slice(0, 2)).toEqual(['deregistered draining', 'status draining']);
    await expect(operator.registry.get({ name: `${kind}-e` })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('ends when a newer process has its name', async () => {
    const older = await start(kind, `${kind}-f`);
    await start(kind, `${kind}-f`);
    const { attempt, done } = assign(`${kind}-f`, capability);
    await done;
    expect(await answerTo(attempt)).toMatchObject({ topic: `task.${kind}-f.completed` });
    expect(await older.exited).toBe(1);
  });
});

test('both have the capability "summarize", each in its own way', async () => {
  await start('typescript', 'both-ts');
  await start('python', 'both-py');
  const input = 'One. Two. Three.';
  const given = [assign('both-ts', 'summarize', { input }), assign('both-py', 'summarize', { input })];
  const answers = await Promise.all(given.map(({ attempt }) => answerTo(attempt)));
  expect(answers.map(({ data }) => data)).toMatchObject([
    { output: { summary: 'One. Two.' } },
    { output: { summary: 'One. Two. Three.' } },
  ]);
});

describe('the worker in Python', () => {
  test('killed in the middle of a task, does it when it is back', async () => {
    const FLAG = newPath();
    const first = await start('extended', 'python-k', { FLAG });
    const { attempt, done } = assign('python-k', 'hold');
    await done;
    await waitFor(() => saidOf(attempt).includes('accepted'), { what: 'it to begin' });
    first.process.kill('SIGKILL');
    await first.exited;
    await writeFile(FLAG, '');
    await start('extended', 'python-k', { FLAG });
    expect(await answerTo(attempt)).toMatchObject({ data: { output: 'done' } });
    expect(saidOf(attempt)).toEqual(['accepted', 'completed']);
  });

  test('keeps a task that takes longer than a deadline, and does it once', async () => {
    const FLAG = newPath();
    const name = 'python-q';
    await start('extended', name, { FLAG });
    const { attempt, done } = assign(name, 'hold');
    await done;
    const open = async () => (await operator.groups.get({ group: name })).open[0];
    const first = await waitFor(open, { what: 'it to be delivered' });
    const threeDeadlinesOn = Date.parse(first.dueAt) + 3_000;
    const kept = await waitFor(
      async () => {
        const now = await open();
        return Date.parse(now?.dueAt ?? '') > threeDeadlinesOn ? now : null;
      },
      { what: 'the delivery to be extended', timeoutMs: 30_000 },
    );
    expect(kept).toMatchObject({ deliveryId: first.deliveryId, attempt: 1, state: 'in_flight' });
    await writeFile(FLAG, '');
    expect(await answerTo(attempt)).toMatchObject({ data: { output: 'done' } });
    expect(saidOf(attempt)).toEqual(['accepted', 'completed']);
  });

  test('leaves when an operator has deleted its group, and does not make it again', async () => {
    const name = 'python-r';
    const worker = await start('extended', name);
    const { attempt, done } = assign(name, 'write');
    await done;
    await answerTo(attempt);
    await operator.groups.delete({ group: name });
    expect(await worker.exited).toBe(0);
    expect(worker.output()).toContain('an operator has deleted its group');
    await expect(operator.groups.get({ group: name })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(operator.registry.get({ name })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('finishes the task in hand at SIGTERM, takes no other, and beats until it leaves', async () => {
    const FLAG = newPath();
    const name = 'python-l';
    const worker = await start('extended', name, { FLAG });
    const { attempt, done } = assign(name, 'hold');
    await done;
    await waitFor(() => saidOf(attempt).includes('accepted'), { what: 'it to begin' });
    worker.process.kill('SIGTERM');
    const statusOf = async () => (await operator.registry.get({ name })).status;
    await waitFor(async () => (await statusOf()).activity === 'draining', { what: 'it to drain' });
    const next = assign(name, 'write');
    await next.done;
    const { lastSeenAt } = await statusOf();
    await waitFor(async () => (await statusOf()).lastSeenAt !== lastSeenAt, { what: 'another beat' });
    await writeFile(FLAG, '');
    expect(await worker.exited).toBe(0);
    expect(saidOf(attempt)).toEqual(['accepted', 'completed']);
    expect(saidOf(next.attempt)).toEqual([]);
    await expect(statusOf()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test.each([
    ['long-winded', { message: expect.stringMatching(/^could not convert[^]{3000,4079}$/), retryable: true }],
    ['unlucky', { message: 'division by zero', retryable: true }],
    ['hopeless', { message: 'never', retryable: false }],
    ['no-json', { message: expect.stringContaining('cannot be sent'), retryable: false }],
    ['no-number', { message: expect.stringContaining('cannot be sent'), retryable: false }],
    ['too-large', { message: expect.stringContaining('cannot be sent'), retryable: false }],
  ])('fails a task that is %s, and goes on', async (capability, error) => {
    const name = `python-${capability}`;
    await start('extended', name);
    const { attempt, done } = assign(name, capability);
    await done;
    expect((await answerTo(attempt)).data).toMatchObject({ error });
    const next = assign(name, 'write');
    await next.done;
    expect((await answerTo(next.attempt)).topic).toBe(`task.${name}.completed`);
  });

  test('gives back what is no task, and goes on', async () => {
    await start('python', 'python-m');
    await operator.publish('task.python-m.assigned', 'what?');
    const { attempt, done } = assign('python-m', 'write');
    await done;
    expect((await answerTo(attempt)).topic).toBe('task.python-m.completed');
    const putAside = async () => (await operator.bus.deadLetters({ group: 'python-m' })).deadLetters.length === 1;
    await waitFor(putAside, { what: 'it to be put aside' });
  });
});
