// `pnpm dev` as a newcomer meets it: a goal goes in by curl, and its plan is completed by both demo workers.
import { temporaryFolder, waitFor } from '@hypercode/testkit';
import { guardProcess } from '@hypercode/testkit/death-guard';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';

const FOLDER = fileURLToPath(new URL('..', import.meta.url));
const PLAN = z.object({
  status: z.string(),
  planner: z.string().nullable(),
  tasks: z.array(z.object({ capability: z.string(), agent: z.string().nullable() })),
});
const stack: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

async function startSwarm(): Promise<{
  child: ChildProcess;
  exited: Promise<unknown[]>;
  core: string;
  architect: string;
}> {
  const folder = temporaryFolder('dev');
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), 'src/main.ts'], {
    cwd: FOLDER,
    env: { PATH, HOME, SWARM_PORT: '0', ARCHITECT_PORT: '0', SWARM_DATA_DIR: folder.path },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const release = guardProcess(child.pid ?? 0);
  const exited = once(child, 'exit').finally(release);
  stack.push(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
    await folder.remove();
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const said = (expression: RegExp): Promise<string> =>
    waitFor(() => expression.exec(output)?.[1], { what: `${expression} in:\n${output}`, timeoutMs: 60_000 });
  const core = await said(/listening on (http:\S+)/);
  const architect = await said(/architect active at (http:\S+)/);
  for (const name of ['analyst', 'scribe']) await said(new RegExp(`(${name} has joined)`));
  return { child, exited, core, architect };
}

async function isThere(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`)).ok;
  } catch {
    return false;
  }
}

test('a goal that nobody has planned is planned, and completed by both workers', async () => {
  const { child, exited, core, architect } = await startSwarm();
  const goal = {
    title: 'Release note',
    description: 'Summarise: the bus is fast. Then write a note, then review it and count the words.',
  };
  const response = await fetch(`${architect}/goals`, {
    method: 'POST',
    body: JSON.stringify(goal),
    headers: { 'content-type': 'application/json' },
  });
  expect(response.status).toBe(202);
  const location = response.headers.get('location');
  const plan = await waitFor(
    async () => {
      const shown = PLAN.parse(await fetch(`${architect}${location}`).then((answer) => answer.json()));
      return shown.status === 'running' || shown.status === 'planning' ? null : shown;
    },
    { what: 'the plan to end', timeoutMs: 60_000 },
  );
  expect(plan).toMatchObject({ status: 'completed', planner: 'matching' });
  const agents = plan.tasks.map(({ capability, agent }) => [capability, agent]);
  expect(Object.fromEntries(agents)).toMatchObject({ write: 'scribe', review: 'scribe', 'count-words': 'analyst' });
  child.kill('SIGINT');
  expect(await exited).toEqual([0, null]);
  expect(await isThere(core)).toBe(false);
});

test('nothing outlives it when it is killed', async () => {
  const { child, exited, core, architect } = await startSwarm();
  child.kill('SIGKILL');
  await exited;
  await waitFor(async () => !(await isThere(core)), { what: 'the core to end', timeoutMs: 40_000 });
  await waitFor(
    () =>
      fetch(`${architect}/health`).then(
        () => false,
        () => true,
      ),
    {
      what: 'the Architect to end',
      timeoutMs: 40_000,
    },
  );
});
