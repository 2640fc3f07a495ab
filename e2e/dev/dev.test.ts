// `pnpm dev` as a newcomer meets it: a goal goes in by curl, and its plan is completed by both demo workers.
import { temporaryFolder, waitFor } from '@hypercode/testkit';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type DevSwarm, spawnDev, startDevSwarm } from '../fixtures/dev-swarm.ts';

const PLAN = z.object({
  status: z.string(),
  planner: z.string().nullable(),
  tasks: z.array(z.object({ capability: z.string(), agent: z.string().nullable() })),
});
const HOLDER = z.object({ pid: z.int() });
/** What was started, to be ended when a test failed half-way. */
const stack: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const undo of stack.toReversed()) await undo();
});

function dataDir(): string {
  const folder = temporaryFolder('dev');
  stack.push(() => folder.remove());
  return folder.path;
}

async function startSwarm(folder: string): Promise<DevSwarm> {
  const swarm = await startDevSwarm(folder);
  stack.push(() => swarm.close());
  return swarm;
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

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

const isThere = (core: string): Promise<boolean> => answers(`${core}/healthz`);

// A start takes long, so the tests go through the life of one swarm.
describe('a swarm from its start to Ctrl-C', () => {
  let swarm: DevSwarm;
  let folder: string;
  beforeAll(async () => {
    folder = dataDir();
    swarm = await startSwarm(folder);
  });

  test('it says what is there, and what to try', () => {
    const { core, architect, ready } = swarm;
    const programs = `Programs that you start yourself need SWARM_URL=${core}`;
    expect(ready).toContain(
      `the core at ${core}, the Architect at ${architect}, two workers. ${programs}. Try: curl -i ${architect}/goals`,
    );
  });

  test('a goal without steps is planned, and completed by both workers', async () => {
    const goal = {
      title: 'Release note',
      description: 'Summarise: the bus is fast. Then write a note, then review it and count the words.',
    };
    const plan = await ended(await submit(swarm.architect, goal));
    expect(plan).toMatchObject({ status: 'completed', planner: 'matching' });
    const agents = plan.tasks.map(({ capability, agent }) => [capability, agent]);
    expect(Object.fromEntries(agents)).toMatchObject({ write: 'scribe', review: 'scribe', 'count-words': 'analyst' });
  });

  test('the dashboard is built, and the printed link signs in once', async () => {
    const { core, printed } = swarm;
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

  test('a core that is killed comes back at its address, and work goes on', async () => {
    const { core, architect } = swarm;
    const { pid } = HOLDER.parse(JSON.parse(await readFile(join(folder, 'holder.json'), 'utf8')));
    process.kill(pid, 'SIGKILL');
    await waitFor(async () => !(await isThere(core)), { what: 'the core to be gone', intervalMs: 20 });
    await waitFor(() => isThere(core), { what: 'the core to be back', timeoutMs: 60_000 });
    const goal = { title: 'A note', steps: [{ id: 'a', title: 'Write', capability: 'write', input: 'One. Two.' }] };
    const location = await waitFor(() => submit(architect, goal).catch(() => null), {
      what: 'the Architect to be back',
      timeoutMs: 60_000,
    });
    expect(await ended(location)).toMatchObject({ status: 'completed' });
  });

  test('Ctrl-C ends it', async () => {
    swarm.child.kill('SIGINT');
    expect(await swarm.exited).toEqual([0, null]);
    expect(await isThere(swarm.core)).toBe(false);
  });

  test('nothing outlives it when it is killed', async () => {
    // On the same folder, whose database is there.
    const { child, exited, core, architect } = await startSwarm(folder);
    child.kill('SIGKILL');
    await exited;
    const isSilent = (url: string) =>
      waitFor(async () => !(await answers(url)), { what: `${url} to end`, timeoutMs: 40_000 });
    await isSilent(`${core}/healthz`);
    await isSilent(`${architect}/health`);
  });
});

test('a terminal that is closed while it starts ends it', async () => {
  const { child, exited, printed, close } = spawnDev(dataDir(), { SWARM_UI: 'false' });
  stack.push(close);
  const core = await printed(/listening on (http:\S+)/);
  for (let times = 0; times < 2; times += 1) child.kill('SIGHUP');
  expect(await exited).toEqual([0, null]);
  expect(await isThere(core)).toBe(false);
});
