// Goals that a client of the core submits, and follows to their end with the SDK alone.
import { createSwarmClient, type GoalEvent } from '@hypercode/client';
import { sharedCore, START_TIMEOUT_MS } from '@hypercode/core-runtime/testing';
import { waitFor } from '@hypercode/testkit';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { type Stack, stageOn } from './stage.ts';
import { step } from './steps.ts';

const stack: Stack = [];
beforeAll(async () => {
  await sharedCore();
}, START_TIMEOUT_MS);
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

async function setting() {
  const { core, architect, worker } = stageOn(await sharedCore(), stack);
  await architect();
  const client = createSwarmClient({ url: core.url, namespace: core.namespace, token: core.adminToken });
  stack.push(() => client.close());
  return { client, worker };
}

test('a goal is submitted with the client, its events are received, and its result has the outputs', async () => {
  const { client, worker } = await setting();
  await worker('ada', ({ taskId, dependencies }) => `${taskId} after ${Object.keys(dependencies).join()}`);
  const goal = await client.goals.submit({ title: 'two steps', steps: [step('a'), step('b', ['a'])] });
  expect(await goal.result({ timeoutMs: 60_000 })).toMatchObject({
    goalId: goal.goalId,
    outputs: { a: 'a after ', b: 'b after a' },
  });
  const events: GoalEvent[] = [];
  for await (const event of goal.events()) events.push(event);
  expect(events.map(({ topic }) => topic).filter((topic) => !topic.endsWith('.accepted'))).toEqual([
    'plan.created',
    'task.ada.assigned',
    'task.ada.completed',
    'task.ada.assigned',
    'task.ada.completed',
    'plan.completed',
  ]);
});

test('a goal that is cancelled or fails rejects with the reason of the Architect', async () => {
  const { client, worker } = await setting();
  const bob = await worker('bob', () => undefined);
  const cancelled = await client.goals.submit({ title: 'to be cancelled', steps: [step('a')] });
  await waitFor(() => bob.given[0], { what: 'the task to reach bob' });
  await cancelled.cancel('not wanted any more');
  await expect(cancelled.result({ timeoutMs: 60_000 })).rejects.toMatchObject({
    name: 'GoalError',
    end: 'cancelled',
    reason: 'not wanted any more',
  });
  const hopeless = await client.goals.submit({ title: 'nobody can', steps: [step('a', [], { capability: 'fly' })] });
  await expect(hopeless.result({ timeoutMs: 60_000 })).rejects.toMatchObject({ end: 'failed' });
});
