// Tasks of workers that are killed, and of workers whose core is killed.
import { connectAgent, createSwarmClient, serveTasks, type SwarmClient } from '@hypercode/client';
import type { SwarmEvent } from '@hypercode/contracts';
import { type SpawnedCore, waitFor } from '@hypercode/testkit';
import { guardProcess } from '@hypercode/testkit/death-guard';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { TaskDesk } from '../../packages/client/test/tasks/task-desk.ts';
import { spawnCore } from '../fixtures/spawn-core.ts';

let core: SpawnedCore;
let operator: SwarmClient;
let desk: TaskDesk;
const stack: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  core = await spawnCore();
  operator = createSwarmClient({ url: core.url, token: core.adminToken });
  desk = new TaskDesk(operator);
});
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});
afterAll(async () => {
  await operator?.close();
  await core?.close();
});

/** A worker as a process of its own, whose task gives the process's number, or never ends. */
function workerProcess(name: string, work: 'ends' | 'hangs'): { child: ChildProcess; exited: Promise<unknown> } {
  const program = `
    import { connectAgent, serveTasks } from '@hypercode/client';
    const { URL: url, TOKEN: token, NAME: name } = process.env;
    const agent = await connectAgent({ url, token, name, role: 'worker', version: '1.0.0' });
    const work = ${work === 'ends' ? '() => process.pid' : '() => new Promise(() => {})'};
    serveTasks(agent, { work }, { ackDeadlineMs: 1_000 });
  `;
  const args = ['--conditions=built', '--input-type=module', '--eval', program];
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

test('a task whose process was killed is done by the next process', async () => {
  const name = 'mortal';
  const first = workerProcess(name, 'hangs');
  const task = await desk.assign(name);
  await desk.answerOf(task, 'accepted');
  first.child.kill('SIGKILL');
  await first.exited;
  const second = workerProcess(name, 'ends');
  expect((await desk.answerOf(task, 'completed')).data['output']).toBe(second.child.pid);
  expect(desk.kindsOf(task)).toEqual(['accepted', 'completed']);
});

test('an answer that does not get through is said when the core is back, and the work is not done again', async () => {
  let runs = 0;
  const { url, joinToken: token } = core;
  const agent = await connectAgent({ url, token, name: 'survivor', role: 'worker', version: '1.0.0' });
  stack.push(() => agent.stop());
  serveTasks(agent, {
    work: async () => {
      runs += 1;
      core.kill('SIGKILL');
      await core.exited;
      return 'done';
    },
  });
  const task = await desk.assign(agent.agent.name).catch(() => null);
  await core.exited;
  await core.restart();
  const isDone = ({ topic, data }: SwarmEvent): boolean =>
    topic === `task.${agent.agent.name}.completed` && (task === null || JSON.stringify(data).includes(task.planId));
  await waitFor(() => desk.events.some(isDone), { what: 'the answer', timeoutMs: 60_000 });
  expect(runs).toBe(1);
  expect(desk.events.filter(isDone)).toHaveLength(1);
});
