// What hears the bus, and what writes plans down again, beside a real core that is hostile, too small, or has lost its log.
import { connectAgent, createSwarmClient, type SwarmClient, SwarmError } from '@hypercode/client';
import { agentSource, type Goal } from '@hypercode/contracts';
import { type CoreOptions, type SpawnedCore, spawnCore, embeddedFolder, waitFor } from '@hypercode/testkit';
import { rm } from 'node:fs/promises';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Logger } from '../../src/logger.ts';
import { explicitPlanner } from '../../src/planning/explicit-planner.ts';
import type { CheckpointPart } from '../../src/plans/checkpoint.ts';
import { planIdOf } from '../../src/plans/plan-ids.ts';
import { Checkpointer } from '../../src/conducting/checkpointer.ts';
import { Conductor } from '../../src/conducting/conductor.ts';
import { Follower, type FollowerEvents } from '../../src/conducting/follower.ts';

const self = agentSource('default', 'architect');
const stack: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

interface Stage {
  readonly core: SpawnedCore;
  /** The Architect's, as an agent. */
  readonly client: SwarmClient;
  readonly operator: SwarmClient;
  /** Warnings. */
  readonly lines: { fields: Record<string, unknown>; message: string }[];
  /** Milliseconds that its clock is ahead of the time. */
  aheadMs: number;
  follow(events?: FollowerEvents): Promise<Follower>;
  conduct(): Promise<Follower>;
  /** Writes down what `follower` knows. */
  write(follower: Follower, client?: Pick<SwarmClient, 'bus' | 'publish'>): Checkpointer;
  /** Plans whose checkpoints are on the bus, in their order. */
  checkpoints(): Promise<string[]>;
}

async function stage(options: CoreOptions = {}): Promise<Stage> {
  const core = await spawnCore(options);
  stack.push(() => core.close());
  const { url, joinToken, adminToken } = core;
  const agent = await connectAgent({ url, token: joinToken, name: 'architect', role: 'architect', version: '1.0.0' });
  const { client } = agent;
  const operator = createSwarmClient({ url, token: adminToken });
  stack.push(
    () => operator.close(),
    () => agent.stop(),
  );
  const lines: Stage['lines'] = [];
  const quiet = (): void => {};
  const warn: Logger['warn'] = (fields, message) => void lines.push({ fields, message });
  const logger: Logger = { debug: quiet, info: quiet, error: quiet, warn };
  const it: Stage = {
    core,
    client,
    operator,
    lines,
    aheadMs: 0,
    async follow(events = {}) {
      const follower = new Follower({ self, client, clock, logger });
      stack.push(() => follower.stop());
      follower.start(events);
      await waitFor(() => follower.isCaughtUp, { what: 'the past to be read' });
      return follower;
    },
    async conduct() {
      const follower = new Follower({ self, client, clock, logger });
      const directory = client.directory();
      stack.push(() => directory.stop());
      const patience = { patienceMs: 600_000, taskDeadlineMs: 600_000 };
      const settings = { maxAttempts: 1, maxTasksPerAgent: 1, retryDelayMs: 0, ...patience };
      const planners = [explicitPlanner];
      const conductor = new Conductor({
        ...{ name: 'architect', self, agent, directory, follower, planners, settings, clock, logger },
      });
      stack.push(() => conductor.stop());
      conductor.start();
      await waitFor(() => follower.isCaughtUp, { what: 'the past to be read' });
      return follower;
    },
    write(follower, through = client) {
      const checkpointer = new Checkpointer({ client: through, name: 'architect', self, follower, clock, logger });
      stack.push(() => checkpointer.stop());
      checkpointer.start();
      return checkpointer;
    },
    async checkpoints() {
      const { events } = await operator.bus.read({ topics: ['architect.*.checkpoint'], limit: 500 });
      const parts = events.map(({ event }) => event.data as CheckpointPart);
      return parts.filter(({ part, parts: all }) => part === all).map(({ planId }) => planId);
    },
  };
  const clock = { ...systemClock, now: () => Date.now() + it.aheadMs };
  return it;
}

const goalOf = (title: string): Goal => ({
  goalId: crypto.randomUUID(),
  title,
  steps: [{ id: 'a', title: 'do it', capability: 'nobody-offers-it', dependsOn: [] }],
});

/** Says that the Architect has made a plan; its id. */
async function plan(client: SwarmClient, input: string | null = null): Promise<string> {
  const { goalId, title } = goalOf('a plan');
  const planId = planIdOf(goalId);
  const tasks = [{ taskId: 'a', title: 'do it', capability: 'work', input, dependsOn: [] }];
  await client.publish('plan.created', {
    planId,
    goalId,
    title,
    tasks,
    planner: 'steps',
    missing: [],
    deadlineAt: null,
  });
  return planId;
}

test('events that make no sense stop nothing, and fill no log', async () => {
  const it = await stage();
  const nonsense = async (): Promise<void> => {
    for (let n = 0; n < 20; n += 1) await it.operator.publish('task.ada.completed', { nonsense: n });
  };
  await nonsense();
  const follower = await it.follow();
  await nonsense();
  const planId = await plan(it.client);
  await waitFor(() => follower.ledger.plans.has(planId), { what: 'the plan to be heard' });
  expect(it.lines).toMatchObject([{ fields: { topic: 'task.ada.completed', ignored: 1 } }]);
  it.aheadMs = 61_000;
  await nonsense();
  await waitFor(() => it.lines.length > 1, { what: 'the others to be told' });
  expect(it.lines[1]).toMatchObject({ fields: { ignored: 40 } });
});

test('a plan that can not be written down keeps no other from it', async () => {
  const it = await stage({ env: { SWARM_EVENTS_MAX: '100' } });
  const [bad, good] = [await plan(it.client), await plan(it.client)];
  const follower = await it.follow();
  const { bus } = it.client;
  it.write(follower, {
    bus,
    publish: async (topic, data, options) => {
      if (Object(data).planId === bad) throw new SwarmError('INVALID_INPUT', 'refused by the test');
      return it.client.publish(topic, data, options);
    },
  });
  for (let n = 0; n < 50; n += 1) await it.operator.publish('filler', n);
  await waitFor(async () => (await it.checkpoints()).length > 0, { what: 'a checkpoint' });
  expect(await it.checkpoints()).toEqual([good]);
});

test('plans that take most of what the log keeps are not written down without end', async () => {
  const it = await stage({ env: { SWARM_EVENTS_MAX_BYTES: '1048576' } });
  const plans = [];
  for (let n = 0; n < 3; n += 1) plans.push(await plan(it.client, 'x'.repeat(200_000)));
  const follower = await it.follow();
  let looks = 0;
  const { bus } = it.client;
  const topics: SwarmClient['bus']['topics'] = (...args) => {
    looks += 1;
    return bus.topics(...args);
  };
  it.write(follower, { bus: { ...bus, topics }, publish: it.client.publish.bind(it.client) });
  await waitFor(() => looks >= 8, { what: 'the log to be looked at' });
  expect(await it.checkpoints()).toEqual(plans);
});

test('a log that was lost has the plans again, with all that is known of them', async () => {
  const folder = await embeddedFolder('core');
  stack.push(() => folder.remove());
  const it = await stage({ dataDir: folder.path });
  const follower = await it.conduct();
  const goals = [goalOf('one'), goalOf('another')];
  const plans = goals.map(({ goalId }) => planIdOf(goalId));
  for (const goal of goals) await it.operator.publish('goal.submitted', goal);
  const statuses = (of: Follower) => plans.map((planId) => of.ledger.plans.get(planId)?.status);
  await waitFor(() => statuses(follower).every((status) => status === 'running'), { what: 'the plans to be made' });
  expect(await it.checkpoints()).toEqual([]);
  it.core.kill('SIGKILL');
  await it.core.exited;
  await rm(folder.path, { recursive: true });
  await it.core.restart();
  await waitFor(async () => new Set(await it.checkpoints()).size === 2, { what: 'checkpoints', timeoutMs: 60_000 });
  expect(statuses(await it.follow())).toEqual(['running', 'running']);
});
