// An Architect on a core: workers that hang, results and inputs that do not fit, and goals that people approve.
import { createSwarmClient } from '@hypercode/client';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import type { PlanView } from '@hypercode/contracts';
import { waitFor } from '@hypercode/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, type Stage, stageOn, type TestArchitect } from './stage.ts';

const stack: Stack = [];
let stage: Stage<TestCore>;
let architect: TestArchitect;

beforeAll(async () => {
  stage = stageOn(await sharedCore(), stack);
  architect = await stage.architect({ ARCHITECT_STALL_MS: '400', ARCHITECT_RETRY_DELAY_MS: '10' });
}, START_TIMEOUT_MS);
afterAll(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

const planOf = (planId: string): Promise<PlanView> => architect.call(`/plans/${planId}`);
const step = (capability: string, more = {}) => ({ id: 'a', title: 'do it', capability, dependsOn: [], ...more });

test('a worker that hangs while its process lives is stalled, and its task goes to another at the deadline', async () => {
  const hanging = await stage.worker('hangs', () => new Promise(() => {}), { capabilities: ['hang'] });
  const { planId } = await architect.submit({ title: 'hang', steps: [step('hang', { timeoutMs: 2_500 })] });
  const stalled = await waitFor(
    async () => (await planOf(planId)).tasks[0]?.attempts.find(({ stalledAt }) => stalledAt !== null),
    { what: 'the stall in the plan' },
  );
  expect(stalled).toMatchObject({ agent: 'hangs', outcome: 'running' });
  expect(stage.log.data<{ silentMs: number }>('.stalled')).toMatchObject([{ planId, taskId: 'a', attempt: 1 }]);
  expect(hanging.agent.health().status).toBe('ok');
  const other = await stage.worker('works', () => 'done', { capabilities: ['hang'] });
  expect(await stage.log.endOf(planId)).toBe('plan.completed');
  const { attempts = [] } = (await planOf(planId)).tasks[0] ?? {};
  expect(attempts.map(({ agent, outcome }) => [agent, outcome])).toEqual([
    ['hangs', 'timed_out'],
    ['works', 'completed'],
  ]);
  await Promise.all([hanging, other].map(({ agent }) => agent.stop()));
});

test('an input that does not fit is refused before any agent has it, and an output that does not fit is a failed attempt', async () => {
  const inputSchema = { type: 'object', required: ['n'], properties: { n: { type: 'number' } } };
  const outputSchema = { type: 'object', properties: { sum: { type: 'number' } } };
  let output: object = { sum: 'many' };
  const worker = await stage.worker('sums', () => output as never, {
    capabilities: [{ id: 'sum', inputSchema, outputSchema }],
  });
  const refused = await architect.submit({ title: 'no', steps: [step('sum', { input: { n: 'x' } })] });
  expect(await stage.log.endOf(refused.planId)).toBe('plan.failed');
  expect((await planOf(refused.planId)).reason).toContain('/n');
  expect(worker.given).toEqual([]);
  const { planId } = await architect.submit({ title: 'yes', steps: [step('sum', { input: { n: 1 } })] });
  await waitFor(async () => (await planOf(planId)).tasks[0]?.attempts[0]?.outcome === 'failed', {
    what: 'the failure',
  });
  output = { sum: 1 };
  expect(await stage.log.endOf(planId)).toBe('plan.completed');
  const { tasks, outputs } = await planOf(planId);
  expect(tasks[0]?.attempts[0]?.error).toMatch(/^the output does not fit: \/sum/);
  expect(outputs).toEqual({ a: { sum: 1 } });
  await worker.agent.stop();
});

test('a goal with approval begins when a person approves, and asks nobody after it was rejected', async () => {
  const { url, adminToken: token, namespace } = stage.core;
  const operator = createSwarmClient({ url, token, namespace });
  stack.push(() => operator.close());
  const worker = await stage.worker('waits', () => 'done', { capabilities: ['wait'] });
  for (const [answer, end] of [
    ['reject', 'plan.cancelled'],
    ['approve', 'plan.completed'],
  ] as const) {
    const { planId } = await architect.submit({ title: 'ask first', approval: true, steps: [step('wait')] });
    const question = await waitFor(async () => (await operator.questions.list({})).questions[0], {
      what: 'the question',
    });
    expect((await planOf(planId)).approval).toMatchObject({ state: 'waiting' });
    expect(worker.given).toEqual([]);
    await operator.questions.answer({ agent: 'architect', questionId: question.questionId, answer });
    expect(await stage.log.endOf(planId)).toBe(end);
    expect((await planOf(planId)).approval).toMatchObject({ by: '/operators/admin' });
  }
  expect((await operator.questions.list({})).questions).toEqual([]);
});
