// What is drawn, in a real terminal: `top`, the tree of a plan, progress; and that the terminal is as it was afterwards.
import { architectEvents } from '@hypercode/contracts';
import { startTestCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { createSwarmClient, type SwarmClient } from '@hypercode/client';
import { BUILT_CLI, temporaryFolder, waitFor } from '@hypercode/testkit';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emptyEnv } from './swarm-process.ts';
import { TestTerminal } from './terminal.ts';

const folder = temporaryFolder('cli-screen');
let core: TestCore;
let client: SwarmClient;
let env: Record<string, string>;

beforeAll(async () => {
  core = await startTestCore();
  const namespace = core.freshNamespace();
  client = createSwarmClient({ url: core.url, token: core.adminToken, namespace });
  env = emptyEnv({ SWARM_URL: core.url, SWARM_TOKEN: core.adminToken, SWARM_NAMESPACE: namespace });
  await client.registry.register({ name: 'ada', role: 'worker', version: '1.0.0' });
  await client.bus.claim({ group: 'builders', topics: ['build.*'], maxDeliveries: 1, from: 'earliest' });
  await client.bus.publish({ topic: 'build.requested', data: { branch: 'main' } });
  const { deliveries } = await client.bus.claim({ group: 'builders', waitMs: 10_000 });
  await client.bus.nack({
    group: 'builders',
    deliveryIds: deliveries.map(({ deliveryId }) => deliveryId),
    reason: 'no disk',
  });
}, START_TIMEOUT_MS);
afterAll(async () => {
  await client?.close();
  await core.close();
  await folder.remove();
});

/** A shell that runs `swarm`, and then shows how it left the terminal. Ctrl-C reaches both, and ends `swarm` alone. */
function shell(words: string, size: { columns?: number; rows?: number } = {}): TestTerminal {
  const line = `trap : INT TERM HUP; echo before; "$0" "$1" ${words}; echo "code $?"; stty -a | grep -o -E -- '-?(icanon|echo|isig)\\b' | tr '\\n' ' '; echo; sleep 60`;
  return new TestTerminal('sh', ['-c', line, process.execPath, BUILT_CLI], { env, ...size });
}

const COOKED = /code (\d+)\n(?=.*\bicanon)(?!.*-icanon)(?!.*-echo\b).*\becho\b/;

async function isAsItWas(terminal: TestTerminal, code: number): Promise<void> {
  await terminal.shows(COOKED);
  expect(terminal.isAlternate).toBe(false);
  expect(terminal.text).toContain('before');
  expect(COOKED.exec(terminal.text)?.[1]).toBe(String(code));
}

describe('top', () => {
  test('shows what needs attention, moves, filters, follows changes, and fits a smaller terminal', async () => {
    using terminal = shell('top');
    await terminal.shows('1 dead letter');
    expect(terminal.isAlternate).toBe(true);
    terminal.type('2');
    await terminal.shows(/> ada\s+worker/);
    await client.registry.register({ name: 'bob', role: 'builder', version: '1.0.0' });
    await terminal.shows(/bob\s+builder/);
    terminal.type('/');
    await terminal.shows(/^\/$/m);
    terminal.type('bob');
    await terminal.shows(/^\/bob$/m);
    terminal.type('\r');
    await waitFor(() => !terminal.text.includes('ada'), { what: 'the filter' });
    terminal.type('\u001b');
    await terminal.shows('ada');
    terminal.type('\t');
    await terminal.shows('build.requested');
    terminal.type('4');
    await terminal.shows(/> builders\s+0/);
    terminal.resize(60, 12);
    await waitFor(() => terminal.text.split('\n').length <= 12 && terminal.text.includes('builders'), {
      what: 'the small screen',
    });
    terminal.type('q');
    await isAsItWas(terminal, 0);
  });

  test('opens the trace of an event, and closes it', async () => {
    using terminal = shell('top');
    await terminal.shows('1 dead letter');
    terminal.type('\r');
    await terminal.shows('what to do');
    expect(terminal.text).toContain('dead letter');
    terminal.type('\u001b');
    await terminal.shows('1 dead letter');
    terminal.type('\u0003');
    await isAsItWas(terminal, 130);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'leaves the terminal as it was when %s ends it',
    async (signal) => {
      using terminal = shell('top');
      await terminal.shows('1 dead letter');
      process.kill(childOf(terminal.pid), signal);
      await isAsItWas(terminal, 130);
    },
  );

  test('needs a terminal', async () => {
    using terminal = shell('top < /dev/null');
    await terminal.shows('top needs a terminal');
    await isAsItWas(terminal, 2);
  });
});

/** The process that a shell has started. */
const childOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);

describe('following a goal', () => {
  test('draws the plan as it grows, and Ctrl-C leaves it and says how to come back', async () => {
    const architect = client.events(architectEvents);
    using terminal = shell('goal submit "Write the notes" --follow', { columns: 90 });
    await terminal.shows(/Write the notes\s+planning/);
    const [plan] = (await client.plans.list()).plans;
    const { planId = '', goalId = '' } = plan ?? {};
    const task = (taskId: string, dependsOn: string[] = []) => ({
      taskId,
      title: `Task ${taskId}`,
      capability: taskId,
      dependsOn,
    });
    const tasks = [task('draft'), task('review', ['draft'])];
    const created = { planId, goalId, tasks, title: 'Write the notes', planner: 'steps' as const, deadlineAt: null };
    await architect.publish('plan.created', created);
    await terminal.shows(/Task draft \(draft\).*waits for an agent that offers draft/);
    await terminal.shows(/└─ . Task review/);
    terminal.type('\u0003');
    await terminal.shows(`swarm plans watch ${planId}`);
    await isAsItWas(terminal, 130);

    using again = shell(`plans watch ${planId}`, { columns: 90 });
    await again.shows('0 of 2 tasks');
    await architect.publish('plan.cancelled', { planId, goalId, reason: 'not wanted' });
    await again.shows(/Write the notes\s+cancelled/);
    await isAsItWas(again, 1);
  });
});

test('a long publish shows a bar, and the rate', async () => {
  const file = join(folder.path, 'many.jsonl');
  writeFileSync(
    file,
    Array.from({ length: 3_000 }, (_, n) => `${JSON.stringify({ topic: 'rows.read', data: n })}\n`).join(''),
  );
  using terminal = shell(`events pub --file ${file}`);
  await terminal.shows('100%');
  await terminal.shows(/published 3000 events, \d+ a second/);
  await isAsItWas(terminal, 0);
});
