// Capabilities that a change of the policy takes from a role: its agents stay registered, and get no tasks for them.
import { createSwarmClient } from '@hypercode/client';
import { sharedCore, START_TIMEOUT_MS } from '@hypercode/core-runtime/testing';
import type { PlanView } from '@hypercode/contracts';
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

test('an agent gets no task for a capability that a change of the policy took from its role, until it may offer it again', async () => {
  const { core, log, architect: start, worker } = stageOn(await sharedCore(), stack);
  const architect = await start();
  const ada = await worker('ada', ({ taskId }) => taskId, { role: 'coder', capabilities: ['work', 'translate'] });
  const bea = await worker('bea', ({ taskId }) => taskId);
  const operator = createSwarmClient({ url: core.url, namespace: core.namespace, token: core.adminToken });
  stack.push(() => operator.close());
  /** How a goal in one step ends: by which agent, and why by that one. */
  const oneTask = async (): Promise<string> => {
    const { planId } = await architect.submit({ title: 'one task', steps: [step('a')] });
    expect(await log.endOf(planId)).toBe('plan.completed');
    const { tasks } = await architect.call<PlanView>(`/plans/${planId}`);
    return (tasks[0]?.attempts ?? []).map(({ agent, because }) => `${agent}: ${because}`).join();
  };
  const both = 'ada: of 2 agents, this one is first by name of those that are as good';
  const onlyBea = 'bea: only this agent offers the capability';
  await waitFor(async () => (await oneTask()) === both, { what: 'tasks to go to the first of two agents' });

  const { coder } = (await operator.policy.get()).roles;
  if (coder === undefined) throw new Error('the policy that ships has no role "coder"');
  const { effect } = await operator.policy.putRole({ role: 'coder', rules: { ...coder, offers: [] } });
  expect(effect.agents.list).toMatchObject([{ name: 'ada', offers: ['work', 'translate'] }]);
  await waitFor(async () => (await oneTask()) === onlyBea, {
    what: 'tasks to go to the other agent',
    timeoutMs: 30_000,
  });
  const given = [ada.given.length, bea.given.length] as const;
  for (let n = 0; n < 5; n += 1) expect(await oneTask()).toBe(onlyBea);
  expect([ada.given.length, bea.given.length]).toEqual([given[0], given[1] + 5]);

  const inWords = await architect.submit({ title: 'Translate the text' });
  expect(await log.endOf(inWords.planId)).toBe('plan.failed');
  expect((await architect.call<PlanView>(`/plans/${inWords.planId}`)).reason).toBe(
    'no capability in the swarm matches the goal; it offers: work',
  );
  const inSteps = await architect.submit({ title: 'in vain', steps: [step('a', [], { capability: 'translate' })] });
  await waitFor(() => log.data<{ planId: string }>('.created').some(({ planId }) => planId === inSteps.planId), {
    what: 'the plan',
  });
  const created = log.data<{ planId: string; missing: string[] }>('.created');
  expect(created.find(({ planId }) => planId === inSteps.planId)).toMatchObject({ missing: ['translate'] });

  await operator.policy.putRole({ role: 'coder', rules: coder });
  expect(await log.endOf(inSteps.planId)).toBe('plan.completed');
  expect(await oneTask()).toBe(both);
});
