// The bus with events that make no sense, and checkpoints that are refused or larger than the log.
import { type SwarmClient, SwarmError } from '@hypercode/client';
import { sharedCore, START_TIMEOUT_MS, startTestCore, type TestCore } from '@hypercode/core-runtime/testing';
import { waitFor } from '@hypercode/testkit';
import { planIdOf } from '@hypercode/plans';
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { Stack } from '../stage.ts';
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

test('events that make no sense stop nothing, and fill no log', async () => {
  const it = await conductingStage(await sharedCore(), stack);
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
  await waitFor(async () => (await it.checkpoints()).length > 0, { what: 'a checkpoint' });
  expect(await it.checkpoints()).toEqual([good]);
});

test('plans that take most of what the log keeps are not written down without end', async () => {
  const it = await conductingStage(await coreWith({ eventsMaxBytes: 1_048_576 }), stack);
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
