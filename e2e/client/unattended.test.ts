// A program that handles none of the client's errors lives on, and its error output has the reasons.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createSwarmClient } from '@hypercode/client';
import { type SpawnedCore, waitFor } from '@hypercode/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';

let core: SpawnedCore;
let child: ChildProcess | undefined;
beforeAll(async () => {
  core = await spawnCore({ env: { SWARM_LEASE_MS: '1000' } });
});
afterAll(async () => {
  child?.kill('SIGKILL');
  await core?.close();
});

test('no refusal, outage or fault of a handler ends a process that handles none of them', async () => {
  const program = fileURLToPath(new URL('unattended.ts', import.meta.url));
  const args = ['--import', import.meta.resolve('tsx'), program, core.url, core.joinToken, core.adminToken];
  const started = (child = spawn(process.execPath, args, { stdio: 'pipe' }));
  let output = '';
  let said = '';
  started.stdout.on('data', (chunk) => (output += String(chunk)));
  started.stderr.on('data', (chunk) => (said += String(chunk)));
  const isAlive = (): boolean => started.exitCode === null && started.signalCode === null;
  const says = (text: string, times = 1): Promise<unknown> =>
    waitFor(() => !isAlive() || said.split(text).length > times, { what: `"${text}" of ${said}`, timeoutMs: 30_000 });
  await waitFor(() => output.includes('ready') || !isAlive(), { what: 'the program', timeoutMs: 30_000 });

  const admin = createSwarmClient({ url: core.url, token: core.adminToken });
  await admin.publish('task.unattended.noted', 1);
  await admin.publish('task.unattended.done', 1);
  await says('the handler of an event failed');
  await says('the handler of a delivery failed');
  await says('ACL_DENIED', 2);
  await says('UNAUTHENTICATED');
  await admin.close();

  core.kill('SIGKILL');
  await core.exited;
  await says(`the core at ${core.url} could not be reached`);
  await core.restart();
  await says(`the core at ${core.url} answers again`);
  started.stdin.write('\n');
  await waitFor(() => !isAlive(), { what: 'the end of the program' });
  expect({ output, code: started.exitCode, said }).toMatchObject({ output: 'ready\nalive\n', code: 0 });
});
