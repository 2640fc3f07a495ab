// A plan of many tasks over twenty workers, and what the Architect itself takes for each, against the tasks without it.
import { connectAgent, createSwarmClient, serveTasks, type SwarmClient, taskEventId } from '@hypercode/client';
import { architectEvents } from '@hypercode/contracts';
import { spawnArchitect, type SpawnedArchitect } from '@hypercode/testkit';
import type { Figure } from '../figures.ts';
import { Costs } from '../measure/costs.ts';
import { median, medianRatio } from '../measure/percentiles.ts';
import { cpuSeconds } from '../measure/process-usage.ts';
import { interleave } from '../measure/rounds.ts';
import type { Measured, Rig } from '../rig.ts';
import type { Findings, Row } from './row.ts';

const WORKERS = 20;
/** Tasks that a worker has at a time; the Architect's default. */
const PER_WORKER = 4;
const CAPABILITY = 'work';

export const architect: Row = {
  name: 'architect',
  title: `tasks done a second in one plan over ${WORKERS} workers`,
  measure,
};

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const count = rig.size(1000, 200);
  const { url: redisUrl } = await rig.appendOnlyRedis();
  const core = await rig.core(stack, { DATABASE_URL: await rig.database(), REDIS_URL: redisUrl });
  const planner = await spawnArchitect({ SWARM_URL: core.url, SWARM_JOIN_TOKEN: core.joinToken });
  stack.defer(() => planner.close());
  for (let n = 0; n < WORKERS; n += 1) await startWorker(stack, core, `worker-${n}`);
  const operator = createSwarmClient({ url: core.url, token: core.adminToken });
  stack.defer(() => operator.close());

  const costs = new Costs();
  const ofCore = (): Promise<number> => cpuSeconds(core.pid);
  const contenders = {
    planned: async () => {
      const before = await cpuSeconds(planner.pid);
      const rate = await costs.metered({ name: 'core, planned', count, servers: [ofCore] }, () =>
        carryOut(planner, operator, count),
      );
      perTask.push(((await cpuSeconds(planner.pid)) - before) / count);
      return rate;
    },
    bare: () => costs.metered({ name: 'core, bare', count, servers: [ofCore] }, () => handOut(operator, count)),
  };
  const perTask: number[] = [];

  rig.say('  warming up');
  for (const contender of Object.values(contenders)) await contender();
  costs.clear();
  perTask.length = 0;
  const rates = await interleave(contenders, rig.rounds);
  const figure: Figure = {
    what: `${count} tasks, ${WORKERS} a layer, each with one dependency`,
    value: median(rates.planned),
    unit: '/s',
    reference: { what: 'the same tasks without plan', value: median(rates.bare) },
    ratio: medianRatio(rates.planned, rates.bare),
  };
  return {
    figures: [figure],
    notes: [
      `processor time of the Architect for each task, in µs: ${Math.round(median(perTask) * 1e6)} (it receives four events ` +
        'of a task, and publishes one)',
      'without a plan, all tasks are assigned at once, to the workers in turn; workers do nothing and are in the process ' +
        `of the bench, ${PER_WORKER} tasks at a time each`,
      `processor time for each task, in µs: ${costs.describe()}`,
    ],
    rounds: { ...rates, perTask },
  };
}

async function startWorker(stack: AsyncDisposableStack, { url, joinToken }: Measured, name: string): Promise<void> {
  const agent = await connectAgent({
    url,
    token: joinToken,
    name,
    role: 'worker',
    version: '1.0.0',
    capabilities: [CAPABILITY],
  });
  stack.defer(() => agent.stop());
  serveTasks(agent, { [CAPABILITY]: ({ taskId }) => taskId }, { concurrency: PER_WORKER });
}

/** Tasks a second, from the submission of the goal to the end of its plan. */
async function carryOut(planner: SpawnedArchitect, operator: SwarmClient, count: number): Promise<number> {
  const ended = Promise.withResolvers<void>();
  const goalId = crypto.randomUUID();
  const listener = operator.events(architectEvents).on(['plan.completed', 'plan.failed'], ({ topic, data }) => {
    if (data.goalId !== goalId) return;
    if (topic === 'plan.completed') ended.resolve();
    else ended.reject(new Error('the plan has failed'));
  });
  await listener.attached;
  try {
    const steps = Array.from({ length: count }, (_, n) => ({
      id: `t${n}`,
      title: `task ${n}`,
      capability: CAPABILITY,
      dependsOn: n < WORKERS ? [] : [`t${n - WORKERS}`],
    }));
    const started = performance.now();
    await planner.call('/goals', { goalId, title: 'a plan', steps });
    await ended.promise;
    return count / ((performance.now() - started) / 1000);
  } finally {
    listener.stop();
  }
}

/** The same tasks, assigned without waiting for one another. */
async function handOut(operator: SwarmClient, count: number): Promise<number> {
  const events = operator.events(architectEvents);
  const planId = crypto.randomUUID();
  const all = Promise.withResolvers<void>();
  let completed = 0;
  const listener = events.on('task.*.completed', ({ data }) => {
    if (data.planId !== planId) return;
    completed += 1;
    if (completed === count) all.resolve();
  });
  await listener.attached;
  try {
    const deadlineAt = new Date(Date.now() + 600_000).toISOString();
    const started = performance.now();
    const published = Array.from({ length: count }, (_, n) => {
      const attempt = { planId, taskId: `t${n}`, attempt: 1 };
      const about = { goalId: planId, capability: CAPABILITY, title: `task ${n}`, input: null };
      return events.publish(
        `task.worker-${n % WORKERS}.assigned`,
        { ...attempt, ...about, dependencies: {}, deadlineAt },
        { id: taskEventId(attempt, 'assigned') },
      );
    });
    await Promise.all([...published, all.promise]);
    return count / ((performance.now() - started) / 1000);
  } finally {
    listener.stop();
  }
}
