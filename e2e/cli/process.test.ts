// The built command line as a process: exit codes, a reader that leaves, and how long a start takes.
import { registration, startTestCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUILT_CLI } from '@hypercode/testkit';
import { emptyEnv, swarm } from './swarm-process.ts';

const exec = promisify(execFile);
let core: TestCore;
let env: Record<string, string>;

beforeAll(async () => {
  core = await startTestCore();
  env = { SWARM_URL: core.url, SWARM_TOKEN: core.adminToken };
  for (let number = 0; number < 300; number += 1) {
    await core.fetch('/v1/agents', { method: 'POST', json: registration(`agent-${number}`) });
  }
}, START_TIMEOUT_MS);
afterAll(() => core.close());

test('the built file lists agents, and ends with the exit code of the answer', async () => {
  const list = await swarm(['agents', 'ls', '--all', '--json'], env);
  expect(list).toMatchObject({ code: 0, stderr: '' });
  expect(list.stdout.trimEnd().split('\n')).toHaveLength(300);
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

test('the version is printed without a core and without settings', async () => {
  expect(await swarm(['--version'])).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' });
});
