// The built command line as a process: exit codes, a reader that leaves, and what a start loads.
import { registration, startTestCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { execFile } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUILT_CLI, temporaryFolder, waitFor } from '@hypercode/testkit';
import { emptyEnv, startSwarm, swarm } from './swarm-process.ts';

const exec = promisify(execFile);
/** More than a page. */
const AGENTS = 60;
let core: TestCore;
let env: Record<string, string>;

beforeAll(async () => {
  core = await startTestCore();
  env = { SWARM_URL: core.url, SWARM_TOKEN: core.adminToken };
  const numbers = Array.from({ length: AGENTS }, (_, number) => number);
  await Promise.all(
    numbers.map((number) => core.fetch('/v1/agents', { method: 'POST', json: registration(`agent-${number}`) })),
  );
}, START_TIMEOUT_MS);
afterAll(() => core.close());

test('the built file lists agents, and ends with the exit code of the answer', async () => {
  const list = await swarm(['agents', 'ls', '--all', '--json'], env);
  expect(list).toMatchObject({ code: 0, stderr: '' });
  expect(list.stdout.trimEnd().split('\n')).toHaveLength(AGENTS);
  expect(await swarm(['agents', 'get', 'nobody'], env)).toMatchObject({ code: 1, stdout: '' });
  expect(await swarm(['agents', 'get'], env)).toMatchObject({ code: 2, stdout: '' });
  expect(await swarm(['agents', 'ls'], { ...env, SWARM_URL: 'http://127.0.0.1:1' })).toMatchObject({
    code: 3,
    stdout: '',
  });
  expect(await swarm(['agents', 'ls'], { ...env, SWARM_TOKEN: 'wrong' })).toMatchObject({ code: 4, stdout: '' });
});

test('a reader that leaves ends it without a word', async () => {
  const line = `"$0" "$1" agents ls --all --limit 1 --json | head -1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await exec('bash', ['-c', line, process.execPath, BUILT_CLI], { env: emptyEnv(env) });
  const [first = '', code] = stdout.trimEnd().split('\n');
  expect(JSON.parse(first)).toMatchObject({ name: 'agent-0' });
  expect({ code, stderr }).toEqual({ code: '0', stderr: '' });
});

test.each([
  ['SIGINT', 'agents'],
  ['SIGTERM', 'groups'],
  ['SIGHUP', 'plans'],
] as const)('%s ends swarm %s ls --watch with 130', async (signal, what) => {
  const child = startSwarm([what, 'ls', '--watch', '--json'], env);
  await waitFor(() => core.openStreams() > 0, { what: 'the stream of the command', timeoutMs: 30_000 });
  child.kill(signal);
  expect(await new Promise((resolve) => child.on('close', (code, by) => resolve({ code, by })))).toEqual({
    code: 130,
    by: null,
  });
  await waitFor(() => core.openStreams() === 0, { what: 'the stream to end' });
});

test('the version is printed without a core and without the rest of the command line', async () => {
  const folder = temporaryFolder('cli-version');
  const alone = join(folder.path, 'swarm.mjs');
  await copyFile(BUILT_CLI, alone);
  expect(await exec(process.execPath, [alone, '--version'])).toEqual({ stdout: '0.1.0\n', stderr: '' });
  await folder.remove();
});

test('a list loads nothing of fetch, which takes longer than all else that it loads', async () => {
  const says = `process.on('exit', () => process.stderr.write(process.moduleLoadList.filter((name) => name.includes('undici')).join(' ')))`;
  const words = [
    '--import',
    `data:text/javascript,${encodeURIComponent(says)}`,
    BUILT_CLI,
    'agents',
    'ls',
    '--all',
    '--json',
  ];
  const { stderr } = await exec(process.execPath, words, { env: emptyEnv(env) });
  expect(stderr).toBe('');
});
