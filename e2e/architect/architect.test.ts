// The Architect as a process beside a core: plans are completed although the Architect, the core or both are killed.
import { createSwarmClient } from '@hypercode/client';
import {
  type SpawnedArchitect,
  spawnArchitect,
  type SpawnedCore,
  startPostgres,
  startRedis,
  waitFor,
  storesOfRun,
} from '@hypercode/testkit';
import type { PlanView, TaskAssigned } from '@hypercode/contracts';
import { afterEach, describe, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';
import { PlanLog } from '../../apps/architect/test/plan-log.ts';
import { chain, step } from '../../apps/architect/test/steps.ts';
import { startWorker, type TestWorker } from '../../apps/architect/test/workers.ts';

const stack: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

interface Stage {
  readonly core: SpawnedCore;
  readonly log: PlanLog;
  architect(env?: Record<string, string>): Promise<SpawnedArchitect>;
  worker(...args: Parameters<typeof startWorker> extends [unknown, ...infer Rest] ? Rest : never): Promise<TestWorker>;
}

async function stage(env: Record<string, string> = {}): Promise<Stage> {
  const core = await spawnCore({ env });
  stack.push(() => core.close());
  const log = new PlanLog(core);
  stack.push(() => log.close());
  return {
    core,
    log,
    async architect(own = {}) {
      const architect = await spawnArchitect({ SWARM_URL: core.url, SWARM_JOIN_TOKEN: core.joinToken, ...own });
      stack.push(() => architect.close());
      return architect;
    },
    async worker(...args) {
      const worker = await startWorker(core, ...args);
      stack.push(() => worker.agent.stop());
      return worker;
    },
  };
}

const submit = (architect: SpawnedArchitect, goal: object) =>
  architect.call<{ goalId: string; planId: string; duplicate: boolean }>('/goals', goal);
/** Tasks of the chain, and how many are completed when core and Architect are killed; each night more. */
const CRASHES =
  process.env['SWARM_TEST_ALL'] === '1' ? { tasks: 60, kills: [10, 25, 40] } : { tasks: 24, kills: [5, 14] };

const STORES = [
  ['the embedded default', async () => ({})],
  [
    'PostgreSQL and Redis',
    async () => {
      const [database, redis] = await Promise.all([startPostgres(), startRedis({ appendOnly: true })]);
      stack.push(
        () => database.close(),
        () => redis.close(),
      );
      return { DATABASE_URL: database.url, REDIS_URL: redis.url };
    },
  ],
] as const;

describe.each(storesOfRun(STORES))('on %s', (_, store) => {
  test(
    'core and Architect are killed in the middle of a plan: it is completed, each task once',
    { timeout: 300_000 },
    async () => {
      const { core, log, architect: startOne, worker } = await stage(await store());
      // A task that is not accepted in time goes to another agent. Here a restart may take long, so there is more time.
      const start = () => startOne({ ARCHITECT_ACCEPT_MS: '120000' });
      let architect = await start();
      await worker('ada', ({ input }) => input);
      await worker('bob', ({ input }) => input);
      const { planId } = await submit(architect, { title: 'a long chain', steps: chain(CRASHES.tasks) });
      for (const at of CRASHES.kills) {
        await waitFor(() => log.completed(planId).length >= at, { what: `task ${at}`, timeoutMs: 90_000 });
        architect.kill('SIGKILL');
        core.kill('SIGKILL');
        await Promise.all([architect.exited, core.exited]);
        await core.restart();
        architect = await start();
      }
      expect(await log.endOf(planId)).toBe('plan.completed');
      const assigned = log.data<TaskAssigned>('.assigned').map(({ taskId, attempt }) => `${taskId}/${attempt}`);
      expect(new Set(assigned).size).toBe(assigned.length);
      expect(log.completed(planId).toSorted()).toEqual(
        chain(CRASHES.tasks)
          .map(({ id }) => id)
          .toSorted(),
      );
      const plan = await waitFor(() => architect.call<PlanView>(`/plans/${planId}`), { what: 'the plan to be read' });
      expect(plan.status).toBe('completed');
    },
  );
});

test('at SIGTERM the Architect shows that it drains, leaves the registry, and ends', async () => {
  const { core, architect: start } = await stage();
  const architect = await start();
  const observer = createSwarmClient({ url: core.url, token: core.adminToken });
  stack.push(() => observer.close());
  const seen: string[] = [];
  const directory = observer.directory();
  stack.push(() => directory.stop());
  directory.on('changed', ({ name, status }) => seen.push(`${name} ${status.activity}`));
  directory.on('removed', ({ name }) => seen.push(`${name} left`));
  await directory.ready;
  expect(directory.get('architect')).toMatchObject({ role: 'architect', status: { circuit: 'closed' } });
  architect.kill('SIGTERM');
  expect(await architect.exited).toEqual({ code: 0, signal: null });
  await waitFor(() => seen.includes('architect left'), { what: 'the Architect to leave' });
  expect(seen.filter((line) => !line.endsWith(' ready'))).toEqual(['architect draining', 'architect left']);
});

test('a standby takes over when the lease of the active one has ended, and goes on with its plans', async () => {
  const { core, log, architect: start, worker } = await stage({ SWARM_LEASE_MS: '1000' });
  const active = await start();
  const standby = await start({ ARCHITECT_STANDBY: 'true' });
  const ada = await worker('ada', ({ taskId }) => (taskId === 'a' ? undefined : taskId));
  const { planId } = await submit(active, { title: 'outlives its architect', steps: [step('a'), step('b', ['a'])] });
  const task = await waitFor(() => ada.given[0], { what: 'the first task' });
  await waitFor(async () => (await standby.call<PlanView>(`/plans/${planId}`)).tasks[0]?.agent === 'ada', {
    what: 'the standby to follow',
  });
  active.kill('SIGKILL');
  await active.exited;
  await waitFor(() => standby.modes().at(-1) === 'active', { what: 'the standby to take over', timeoutMs: 30_000 });
  await ada.complete(task, 'a');
  expect(await log.endOf(planId)).toBe('plan.completed');
  const observer = createSwarmClient({ url: core.url, token: core.adminToken });
  stack.push(() => observer.close());
  const { agents } = await observer.registry.query({ role: 'architect' });
  expect(agents.map(({ name }) => name)).toEqual(['architect']);
});

test('an Architect whose name was taken stands by, and does not take it back', async () => {
  const { architect: start, log, worker } = await stage({ SWARM_LEASE_MS: '1000' });
  const first = await start();
  const second = await start();
  await waitFor(() => first.modes().at(-1) === 'standby', { what: 'the first one to stand by', timeoutMs: 20_000 });
  await worker('ada', () => 'done');
  const { planId } = await submit(first, { title: 'through the standby', steps: [step('a')] });
  expect(await log.endOf(planId)).toBe('plan.completed');
  expect(second.modes()).toEqual(['active']);
  expect(first.modes()).toEqual(['active', 'standby']);
});

test('a plan outlives the events that it was made of', async () => {
  const { log, architect: start, worker } = await stage({ SWARM_EVENTS_MAX: '60' });
  let architect = await start();
  const ada = await worker('ada', ({ taskId }) => (taskId === 'late' ? undefined : taskId));
  const { planId } = await submit(architect, { title: 'old', steps: [step('first'), step('late', ['first'])] });
  const late = await waitFor(() => ada.given.find(({ taskId }) => taskId === 'late'), { what: 'the late task' });
  // Other plans push the beginning of this one out of the log.
  for (let n = 0; n < 20; n += 1) {
    const other = await submit(architect, { title: `filler ${n}`, steps: [step('x')] });
    await log.endOf(other.planId);
  }
  const { log: kept } = await ada.agent.client.bus.topics();
  expect(kept.removed).toBeGreaterThan(20);
  architect.kill('SIGKILL');
  await architect.exited;
  architect = await start();
  await ada.complete(late, 'at last');
  expect(await log.endOf(planId)).toBe('plan.completed');
  expect(await architect.call<PlanView>(`/plans/${planId}`)).toMatchObject({
    status: 'completed',
    outputs: { first: 'first', late: 'at last' },
  });
});
