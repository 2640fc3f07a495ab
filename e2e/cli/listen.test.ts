// `listen` on a real core: what the command gets, how its exit code settles the event, and that nothing of it outlives a limit.
import { startTestCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { createSwarmClient, type SwarmClient } from '@hypercode/client';
import { temporaryFolder, waitFor } from '@hypercode/testkit';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startSwarm, swarm } from './swarm-process.ts';

const folder = temporaryFolder('cli-listen');
let core: TestCore;
let client: SwarmClient;
let env: Record<string, string>;
let files = 0;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  core = await startTestCore();
}, START_TIMEOUT_MS);
afterAll(async () => {
  await core.close();
  await folder.remove();
});
beforeEach(() => {
  const namespace = core.freshNamespace();
  client = createSwarmClient({ url: core.url, token: core.adminToken, namespace });
  env = { SWARM_URL: core.url, SWARM_TOKEN: core.adminToken, SWARM_NAMESPACE: namespace, SWARM_SECRET: 'hidden' };
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  await client.close();
});

const newFile = (): string => join(folder.path, `out-${(files += 1)}`);
const linesOf = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];

interface Listener {
  readonly child: ChildProcess;
  readonly printed: { stdout: string; stderr: string };
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts it, and waits until its group is there. */
async function listen(command: string, more: readonly string[] = []): Promise<Listener> {
  const words = ['listen', '--group', 'workers', '--topics', 'work.>', '--exec', command, ...more];
  const child = startSwarm(words, env);
  running.add(child);
  const printed = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => (printed.stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (printed.stderr += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  const isThere = async (): Promise<boolean> => (await client.bus.groups()).groups.length > 0;
  await waitFor(isThere, { what: 'the group', timeoutMs: 30_000 });
  const end = (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return exited;
  };
  return { child, printed, end };
}

const group = async () => (await client.bus.groups()).groups[0];
const isIdle = async (): Promise<boolean> => {
  const { lag = 1, inFlight = 1, waiting = 1 } = (await group()) ?? {};
  return lag + inFlight + waiting === 0;
};

test('the command gets the event on stdin, and nothing of it in its words or its environment but four names', async () => {
  const file = newFile();
  const { end } = await listen(`{ cat; env | grep -E '^(SWARM_|TRACEPARENT)' | sort; echo done; } >> ${file}`);
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const data = { command: `$(touch ${file}.hacked) ; "'\`` };
  const { id, position } = await client.bus.publish({ topic: 'work.run', data, traceparent });
  await waitFor(() => linesOf(file).includes('done'), { what: 'the command to end', timeoutMs: 30_000 });
  const [event = '', ...rest] = linesOf(file);
  expect(JSON.parse(event)).toMatchObject({ id, topic: 'work.run', data });
  expect(rest).toEqual([
    `SWARM_EVENT_ID=${id}`,
    `SWARM_POSITION=${position}`,
    'SWARM_TOPIC=work.run',
    `TRACEPARENT=${traceparent}`,
    'done',
  ]);
  expect(existsSync(`${file}.hacked`)).toBe(false);
  await waitFor(isIdle, { what: 'the acknowledgement' });
  expect(await end('SIGTERM')).toBe(130);
});

test('an exit code other than 0 gives the event back, until it is a dead letter with the reason', async () => {
  const { printed } = await listen('echo "no $SWARM_TOPIC" >&2; exit 7', ['--max-deliveries', '1']);
  const { id } = await client.bus.publish({ topic: 'work.bad', data: 1 });
  await waitFor(async () => (await group())?.deadLetters === 1, { what: 'the dead letter', timeoutMs: 30_000 });
  const { deadLetters } = await client.bus.deadLetters({ group: 'workers' });
  expect(deadLetters).toMatchObject([{ event: { id }, reason: 'exit 7' }]);
  expect(printed.stderr).toContain('no work.bad');
  expect(printed.stderr).toContain(`work.bad ${id}: attempt 1 failed: exit 7`);
});

test('commands run one at a time, or as many as --parallel allows', async () => {
  const file = newFile();
  // A command that is alone says so; two that run at a time meet.
  const meet = `echo in >> ${file}; n=0; while [ $(wc -l < ${file}) -lt 2 ] && [ $n -lt 200 ]; do sleep 0.05; n=$((n+1)); done; echo out >> ${file}`;
  await listen(meet, ['--parallel', '2', '--json']);
  await client.bus.publish({ topic: 'work.a', data: 1 });
  await client.bus.publish({ topic: 'work.b', data: 2 });
  await waitFor(() => linesOf(file).length === 4, { what: 'both commands', timeoutMs: 30_000 });
  expect(linesOf(file)).toEqual(['in', 'in', 'out', 'out']);
});

test('a command that takes too long is ended with all that it has started', async () => {
  const file = newFile();
  const stubborn = `trap '' TERM; sleep 600 & echo $! >> ${file}; echo $$ >> ${file}; while :; do wait; done`;
  await listen(stubborn, ['--timeout', '500ms', '--max-deliveries', '1']);
  await client.bus.publish({ topic: 'work.slow', data: 1 });
  await waitFor(async () => (await group())?.deadLetters === 1, { what: 'the dead letter', timeoutMs: 30_000 });
  const { deadLetters } = await client.bus.deadLetters({ group: 'workers' });
  expect(deadLetters[0]?.reason).toBe('it ran for longer than 500 ms');
  for (const pid of linesOf(file)) await waitFor(() => !isAlive(Number(pid)), { what: `the end of ${pid}` });
});

test('when listen is ended, its command ends too, and the event goes to another member', async () => {
  const file = newFile();
  const { end } = await listen(`sleep 600 & echo $! >> ${file}; wait`);
  await client.bus.publish({ topic: 'work.slow', data: 1 });
  await waitFor(() => linesOf(file).length === 1, { what: 'the command', timeoutMs: 30_000 });
  expect(await end('SIGINT')).toBe(130);
  const [pid] = linesOf(file);
  await waitFor(() => !isAlive(Number(pid)), { what: 'the end of the command' });
  const { deliveries } = await client.bus.claim({ group: 'workers', waitMs: 10_000 });
  expect(deliveries).toMatchObject([{ event: { topic: 'work.slow' } }]);
});

test('the output of a run is cut at 1 MiB', async () => {
  const { printed } = await listen('yes 0123456789 | head -c 3000000');
  const { id } = await client.bus.publish({ topic: 'work.loud', data: 1 });
  await waitFor(() => printed.stderr.includes('cut'), { what: 'the note', timeoutMs: 30_000 });
  expect(printed.stderr).toContain(`work.loud ${id}: the output was cut`);
  await waitFor(isIdle, { what: 'the acknowledgement' });
  expect(printed.stdout.length).toBe(1024 * 1024);
});

test('the token reaches the command only with --pass-token', async () => {
  const file = newFile();
  await listen(`echo "$SWARM_URL $SWARM_TOKEN $SWARM_NAMESPACE $SWARM_SECRET" >> ${file}`, ['--pass-token']);
  await client.bus.publish({ topic: 'work.run', data: 1 });
  await waitFor(() => linesOf(file).length === 1, { what: 'the command', timeoutMs: 30_000 });
  expect(linesOf(file)).toEqual([`${core.url} ${core.adminToken} ${env['SWARM_NAMESPACE']} `]);
});

test('wrong usage and refusals end with their exit codes', async () => {
  expect(await swarm(['listen', '--topics', 'work.>'], env)).toMatchObject({ code: 2 });
  expect(await swarm(['listen', '--topics', 'work.>', '--exec', 'true'], env)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--group'),
  });
  const words = ['listen', '--group', 'g', '--topics', 'work.>', '--exec', 'true'];
  expect(await swarm(words, { ...env, SWARM_TOKEN: core.viewerToken })).toMatchObject({ code: 4 });
  expect(await swarm(words, { ...env, SWARM_URL: 'http://127.0.0.1:1' })).toMatchObject({ code: 3 });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie has ended.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
