// The bus with events that make no sense, and checkpoints that are refused or larger than the log.
import { type SwarmClient, SwarmError } from '@hypercode/client';
import type { Policy } from '@hypercode/contracts';
import { sharedCore, START_TIMEOUT_MS, startTestCore, type TestCore } from '@hypercode/core-runtime/testing';
import { waitFor } from '@hypercode/testkit';
import { planIdOf } from '@hypercode/plans';
import { once } from 'node:events';
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { Stack } from '../stage.ts';
import { explicitPlanner } from '../../src/planning/explicit-planner.ts';
import type { Planner } from '../../src/planning/planner.ts';
import { conductingStage, goalOf } from './stage.ts';

const stack: Stack = [];
beforeAll(async () => {
  await sharedCore();
}, START_TIMEOUT_MS);
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

async function coreWith(configuration: Parameters<typeof startTestCore>[0]): Promise<TestCore> {
  const core = await startTestCore(configuration);
  stack.push(() => core.close());
  return core;
}

/** Publishes that the Architect has made a plan. Returns the plan's id. */
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

test('invalid events do not stop the follower, and are reported at most once a minute', async () => {
  const it = await conductingStage(await sharedCore(), stack);
  const publishInvalid = async (): Promise<void> => {
    for (let n = 0; n < 20; n += 1) await it.operator.publish('task.ada.completed', { nonsense: n });
  };
  await publishInvalid();
  const follower = await it.follow();
  await publishInvalid();
  const planId = await plan(it.client);
  await waitFor(() => follower.ledger.plans.has(planId), { what: 'the plan' });
  expect(it.lines).toMatchObject([{ fields: { topic: 'task.ada.completed', ignored: 1 } }]);
  it.clock.advance(61_000);
  await publishInvalid();
  await waitFor(() => it.lines.length > 1, { what: 'the next warning' });
  expect(it.lines[1]).toMatchObject({ fields: { ignored: 40 } });
});

test('a plan whose checkpoint is refused does not stop the checkpoints of others', async () => {
  const it = await conductingStage(await coreWith({ eventsMax: 100 }), stack);
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
  await it.waitFor(async () => (await it.checkpoints()).length > 0, { what: 'a checkpoint' });
  expect(await it.checkpoints()).toEqual([good]);
});

test('plans that take most of the log are written once, not again because of their own checkpoints', async () => {
  const it = await conductingStage(await coreWith({ eventsMaxBytes: 1_048_576 }), stack);
  const plans = [];
  for (let n = 0; n < 3; n += 1) plans.push(await plan(it.client, 'x'.repeat(200_000)));
  const follower = await it.follow();
  let polls = 0;
  const { bus } = it.client;
  const topics: SwarmClient['bus']['topics'] = (...args) => {
    polls += 1;
    return bus.topics(...args);
  };
  it.write(follower, { bus: { ...bus, topics }, publish: it.client.publish.bind(it.client) });
  await it.waitFor(() => polls >= 8, { what: 'the eighth poll of the log' });
  expect(await it.checkpoints()).toEqual(plans);
});

test('a caller that waits for a plan continues once the plan is in the ledger, at its limit, or when it is aborted', async () => {
  const it = await conductingStage(await sharedCore(), stack);
  const follower = await it.follow();
  const goal = goalOf('awaited');
  const caller = new AbortController();
  const limits = { limitMs: 2_000, signal: caller.signal };
  const received = follower.until(({ plans }) => plans.has(planIdOf(goal.goalId)), limits);
  const limited = follower.until(() => false, limits);
  await it.operator.publish('goal.submitted', goal);
  await received;
  expect(follower.ledger.plans.has(planIdOf(goal.goalId))).toBe(true);
  it.clock.advance(2_000);
  await limited;
  const aborted = follower.until(() => false, limits);
  caller.abort();
  await aborted;
  expect(it.clock.armed).toBe(0);
  await follower.until(() => true, { ...limits, signal: new AbortController().signal });
});

test('no goal is planned until the policy is known, and then all that wait are', async () => {
  const it = await conductingStage(await sharedCore(), stack);
  const { promise: policy, resolve: answer } = Promise.withResolvers<Policy>();
  const follower = await it.conduct([explicitPlanner], { policy });
  const goals = [goalOf('first'), goalOf('second'), goalOf('third')];
  const statuses = () => goals.map(({ goalId }) => follower.ledger.plans.get(planIdOf(goalId))?.status);
  for (const goal of goals) {
    await it.operator.publish('goal.submitted', goal);
    await waitFor(() => follower.ledger.plans.has(planIdOf(goal.goalId)), { what: 'the goal' });
  }
  expect(statuses()).toEqual(['planning', 'planning', 'planning']);
  answer(await it.client.policy.get());
  await waitFor(() => statuses().every((status) => status === 'running'), { what: 'the goals to be planned' });
});

test('a planner that does not answer delays no goal with steps, and its own goals are cancelled and fail in time', async () => {
  const it = await conductingStage(await sharedCore(), stack);
  const asked = new Map<string, AbortSignal>();
  const silent: Planner = {
    name: 'model',
    async plan({ goalId }, _agents, { signal }) {
      asked.set(goalId, signal);
      await once(signal, 'abort');
      throw signal.reason;
    },
  };
  const follower = await it.conduct([explicitPlanner, silent]);
  const statusOf = (goalId: string) => follower.ledger.plans.get(planIdOf(goalId))?.status;
  const slow = Array.from({ length: 10 }, () => ({ goalId: crypto.randomUUID(), title: 'slow', deadlineMs: 100_000 }));
  for (const goal of slow) await it.operator.publish('goal.submitted', goal);
  await waitFor(() => asked.size === 8, { what: 'eight goals to be planned' });
  const goal = goalOf('with steps');
  await it.operator.publish('goal.submitted', goal);
  await waitFor(() => statusOf(goal.goalId) === 'running', { what: 'the goal with steps to be planned' });

  const [first = ''] = asked.keys();
  await it.operator.publish('goal.cancelled', { goalId: first });
  await waitFor(() => statusOf(first) === 'cancelled', { what: 'the goal to be cancelled' });
  expect(asked.get(first)?.aborted).toBe(true);
  await waitFor(() => asked.size === 9, { what: 'the place to be taken by the next goal' });

  it.clock.advance(100_000);
  const others = slow.filter(({ goalId }) => goalId !== first);
  const haveFailed = (): boolean => others.every(({ goalId }) => statusOf(goalId) === 'failed');
  await it.waitFor(haveFailed, { what: 'the others to fail' });
  expect([...asked.values()].every(({ aborted }) => aborted)).toBe(true);
  expect(statusOf(goal.goalId)).toBe('running');
});
