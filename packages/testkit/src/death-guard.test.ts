import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from './death-guard.ts';
import { waitFor } from './wait-for.ts';

const MODULE = fileURLToPath(new URL('death-guard.ts', import.meta.url));
const PROGRAM = `
  import { spawn } from 'node:child_process';
  import { guardProcess, temporaryFolder } from ${JSON.stringify(MODULE)};
  const { path } = temporaryFolder('guarded');
  const { pid } = spawn('sleep', ['600'], { stdio: 'ignore' });
  guardProcess(pid);
  console.log(JSON.stringify({ path, pid }));
  setInterval(() => undefined, 1000);
`;

test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('nothing outlives a process that %s ends', async (signal) => {
  const program = spawn(process.execPath, ['--input-type=module-typescript', '-e', PROGRAM]);
  const [line] = await once(program.stdout, 'data');
  const { path, pid } = JSON.parse(String(line)) as { path: string; pid: number };
  expect(existsSync(path)).toBe(true);
  expect(isAlive(pid)).toBe(true);
  program.kill(signal);
  await waitFor(() => !isAlive(pid) && !existsSync(path), { what: 'the guarded process and folder to go' });
});

test('a temporary folder can be removed early', async () => {
  const folder = temporaryFolder('removed');
  expect(existsSync(folder.path)).toBe(true);
  await folder.remove();
  expect(existsSync(folder.path)).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
