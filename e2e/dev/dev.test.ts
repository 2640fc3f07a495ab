// `pnpm dev` as a newcomer meets it: a goal goes in by curl, and its plan is completed by both demo workers.
import { temporaryFolder, waitFor } from '@hypercode/testkit';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { type DevSwarm, startDevSwarm } from '../fixtures/dev-swarm.ts';

const PLAN = z.object({
  status: z.string(),
  planner: z.string().nullable(),
  tasks: z.array(z.object({ capability: z.string(), agent: z.string().nullable() })),
});
const HOLDER = z.object({ pid: z.int() });
const stack: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

async function startSwarm(): Promise<DevSwarm & { dataDir: string }> {
  const folder = temporaryFolder('dev');
  stack.push(() => folder.remove());
  const swarm = await startDevSwarm(folder.path);
  stack.push(() => swarm.close());
  const { core, architect, ready } = swarm;
  const programs = `Programs that you start yourself need SWARM_URL=${core}`;
  expect(ready).toContain(
    `the core at ${core}, the Architect at ${architect}, two workers. ${programs}. Try: curl -i ${architect}/goals`,
  );
  return { ...swarm, dataDir: folder.path };
}

async function submit(architect: string, goal: object): Promise<string> {
  const response = await fetch(`${architect}/goals`, {
    method: 'POST',
    body: JSON.stringify(goal),
    headers: { 'content-type': 'application/json' },
  });
  expect(response.status).toBe(202);
  return `${architect}${response.headers.get('location')}`;
}

/** The plan at `location`, when it is neither planned nor worked on any more. */
const ended = (location: string): Promise<z.infer<typeof PLAN>> =>
  waitFor(
    async () => {
      const shown = PLAN.parse(await fetch(location).then((answer) => answer.json()));
      return shown.status === 'running' || shown.status === 'planning' ? null : shown;
    },
    { what: 'the plan to end', timeoutMs: 60_000 },
  );

async function isThere(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`)).ok;
  } catch {
    return false;
  }
}

test('a goal without steps is planned, and completed by both workers', async () => {
  const { child, exited, core, architect } = await startSwarm();
  const goal = {
    title: 'Release note',
    description: 'Summarise: the bus is fast. Then write a note, then review it and count the words.',
  };
  const plan = await ended(await submit(architect, goal));
  expect(plan).toMatchObject({ status: 'completed', planner: 'matching' });
  const agents = plan.tasks.map(({ capability, agent }) => [capability, agent]);
  expect(Object.fromEntries(agents)).toMatchObject({ write: 'scribe', review: 'scribe', 'count-words': 'analyst' });
  child.kill('SIGINT');
  expect(await exited).toEqual([0, null]);
  expect(await isThere(core)).toBe(false);
});

test('a core that is killed comes back at its address, and work goes on', async () => {
  const { child, exited, core, architect, dataDir } = await startSwarm();
  const { pid } = HOLDER.parse(JSON.parse(await readFile(join(dataDir, 'holder.json'), 'utf8')));
  process.kill(pid, 'SIGKILL');
  await waitFor(async () => !(await isThere(core)), { what: 'the core to be gone', intervalMs: 20 });
  await waitFor(() => isThere(core), { what: 'the core to be back', timeoutMs: 60_000 });
  const goal = { title: 'A note', steps: [{ id: 'a', title: 'Write', capability: 'write', input: 'One. Two.' }] };
  const location = await waitFor(() => submit(architect, goal).catch(() => null), {
    what: 'the Architect to be back',
    timeoutMs: 60_000,
  });
  expect(await ended(location)).toMatchObject({ status: 'completed' });
  // The terminal is closed.
  for (let times = 0; times < 2; times += 1) child.kill('SIGHUP');
  expect(await exited).toEqual([0, null]);
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

test('the dashboard is built, and the printed link signs in once', async () => {
  const { core, printed } = await startSwarm();
  const link = await printed(/dashboard: (http\S+) signs in once/);
  expect(link).toMatch(new RegExp(`^${core}/#code=[\\w-]{22}$`));
  const page = await fetch(core);
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('/assets/')]);
  const signIn = async () => {
    const { status } = await fetch(`${core}/v1/session`, {
      method: 'POST',
      headers: { origin: core, 'content-type': 'application/json' },
      body: JSON.stringify({ code: new URL(link).hash.slice('#code='.length) }),
    });
    return status;
  };
  expect([await signIn(), await signIn()]).toEqual([201, 401]);
});
