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
  const { core, architect: start, worker } = stageOn(await sharedCore(), stack);
  const architect = await start({ ARCHITECT_PATIENCE_MS: '500' });
  const client = createSwarmClient({ url: core.url, namespace: core.namespace, token: core.adminToken });
  stack.push(() => client.close());
  return { core, client, worker, architect };
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

test('a goal that is cancelled rejects with the reason', async () => {
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
});

test('a goal that failed is retried once an agent is there, and goes on from the task that failed', async () => {
  const { client, worker } = await setting();
  const ada = await worker('ada', ({ taskId }) => `${taskId} by ada`);
  const steps = [step('a'), step('b', ['a'], { capability: 'fly' })];
  const goal = await client.goals.submit({ title: 'nobody can', steps });
  await expect(goal.result({ timeoutMs: 60_000 })).rejects.toMatchObject({ end: 'failed' });
  await worker('bird', ({ taskId }) => `${taskId} by a bird`, { capabilities: ['fly'] });
  const retried = await goal.retry('a bird has come');
  expect(await retried.result({ timeoutMs: 60_000 })).toMatchObject({ outputs: { a: 'a by ada', b: 'b by a bird' } });
  expect(ada.given).toHaveLength(1);
  const plan = await client.plans.get({ planId: goal.planId });
  expect(plan).toMatchObject({ status: 'completed', retries: 1 });
  const topics: string[] = [];
  for await (const { topic } of retried.events()) topics.push(topic);
  expect(topics.filter((topic) => !topic.endsWith('.accepted'))).toEqual([
    'task.bird.assigned',
    'task.bird.completed',
    'plan.completed',
  ]);
});

test('a goal in words for which there was no agent is planned when it is retried', async () => {
  const { client, worker } = await setting();
  const goal = await client.goals.submit({ title: 'Juggle', description: 'Juggle the lemons.' });
  await expect(goal.result({ timeoutMs: 60_000 })).rejects.toMatchObject({ end: 'failed' });
  await worker('clown', () => 'juggled', { capabilities: ['juggle'] });
  const retried = await goal.retry();
  const { outputs } = await retried.result({ timeoutMs: 60_000 });
  expect(Object.values(outputs)).toEqual(['juggled']);
});

test('the core and the Architect answer the same about goals and plans', async () => {
  const { core, client, worker, architect } = await setting();
  await worker('ada', ({ taskId }) => (taskId === 'long' ? 'x'.repeat(100_000) : taskId));
  const { planId, goalId, result } = await client.goals.submit({ title: 'short', steps: [step('a')] });
  const long = await client.goals.submit({ title: 'long', steps: [step('long')] });
  await Promise.all([result({ timeoutMs: 60_000 }), long.result({ timeoutMs: 60_000 })]);
  const answersOf = async (path: string, json?: unknown): Promise<unknown[]> => {
    const init =
      json === undefined
        ? {}
        : { method: 'POST', body: JSON.stringify(json), headers: { 'content-type': 'application/json' } };
    const ask = async (url: string, token?: string): Promise<unknown> => {
      const headers = { ...init.headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
      const answer = await fetch(url, { ...init, headers });
      const { position: _, eventId: _id, requestId: _request, ...body } = Object(await answer.json());
      return { status: answer.status, body };
    };
    const query = `${path.includes('?') ? '&' : '?'}namespace=${core.namespace}`;
    return [await ask(`${core.url}${path}${query}`, core.adminToken), await ask(`${architect.url}${path}`)];
  };
  // The order in which the two goals came is the same for both.
  await waitFor(
    async () => {
      const [atCore, atArchitect] = await answersOf('/v1/plans?state=completed');
      return JSON.stringify(atCore) === JSON.stringify(atArchitect) && JSON.stringify(atCore).includes(planId);
    },
    { what: 'both to know the plans' },
  );
  const submitted = { goalId: crypto.randomUUID(), title: 'the same', steps: [step('c')] };
  const asked: [string, unknown?][] = [
    [`/v1/plans/${planId}`],
    [`/v1/plans/${long.planId}`],
    ['/v1/plans?limit=1&state=completed'],
    ['/v1/plans?limit=0'],
    ['/v1/plans?state=lost'],
    [`/v1/plans?cursor=${goalId}`],
    [`/v1/plans/${goalId}`],
    ['/v1/plans/no-uuid'],
    [`/v1/plans/${planId}/retry`, {}],
    [`/v1/plans/${goalId}/retry`, {}],
    ['/v1/goals', {}],
    ['/v1/goals', { title: 'x', steps: [step('a', ['b'])] }],
    ['/v1/goals', submitted],
    [`/v1/goals/${goalId}/cancel`, { reason: 'no' }],
    [`/v1/goals/no-uuid/cancel`, {}],
    [`/v1/goals/${goalId}/cancel`, { reason: '' }],
  ];
  for (const [path, json] of asked) {
    const [atCore, atArchitect] = await answersOf(path, json);
    expect([path, atArchitect]).toEqual([path, atCore]);
  }
});

test('plans are followed live at the core and at the Architect', async () => {
  const { client, worker, architect } = await setting();
  await worker('ada', ({ taskId }) => taskId);
  const statuses: string[] = [];
  const end = new AbortController();
  const watching = (async () => {
    for await (const event of client.plans.watch({ signal: end.signal })) {
      statuses.push(event.type === 'plan' ? event.plan.status : event.type);
    }
  })();
  await waitFor(async () => (await fetch(`${architect.url}/ready`)).ok, { what: 'the Architect to be ready' });
  const response = await fetch(`${architect.url}/v1/plans/stream`, { signal: end.signal });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) text += chunk;
  })().catch(() => {});
  await waitFor(() => statuses[0] === 'synced' && text.includes('event: synced'), { what: 'both to begin' });
  const goal = await client.goals.submit({ title: 'watched', steps: [step('a')] });
  await goal.result({ timeoutMs: 60_000 });
  await waitFor(() => statuses.at(-1) === 'completed', { what: 'the end at the core' });
  const last = (): unknown => text.trim().split('\n\n').at(-1);
  await waitFor(() => String(last()).includes('"status":"completed"'), { what: 'the end at the Architect' });
  expect(String(last())).toMatch(/^event: plan\ndata: \{"type":"plan","plan":\{/);
  end.abort();
  await Promise.all([watching, reading]);
});
