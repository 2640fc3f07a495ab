// What agents ask people, on a whole core: answered once, by others, with what fits; withdrawn; and as many as one may have open.
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { LIMITS, type QuestionView } from '@hypercode/contracts';
import { waitFor } from '@hypercode/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  connectAgent,
  type ConnectedAgent,
  createSwarmClient,
  QuestionError,
  type QuestionInput,
  serveTasks,
  SwarmError,
  type SwarmClient,
} from '../../src/index.ts';
import { TaskDesk } from '../tasks/task-desk.ts';

let core: TestCore;
let operator: SwarmClient;
let count = 0;
const stack: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  core = await sharedCore();
  const { url, adminToken: token, namespace } = core;
  operator = createSwarmClient({ url, token, namespace });
}, START_TIMEOUT_MS);
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});
afterAll(() => operator?.close());

async function join(name = `asker-${(count += 1)}`, role = 'worker'): Promise<ConnectedAgent> {
  const { url, joinToken: token, namespace } = core;
  const agent = await connectAgent({ url, token, namespace, name, role, version: '1.0.0' });
  stack.push(() => agent.stop());
  return agent;
}

const listOf = async (agent: ConnectedAgent, state: QuestionView['state'] = 'open') =>
  (await operator.questions.list({ agent: agent.agent.name, state, limit: 100 })).questions;

/** Asks, and waits until the core has the question. */
async function asked(agent: ConnectedAgent, question: QuestionInput, options?: Parameters<ConnectedAgent['ask']>[1]) {
  const before = (await listOf(agent)).length;
  const answer = agent.ask(question, options);
  answer.catch(() => {});
  const view = await waitFor(async () => (await listOf(agent))[before], { what: 'the question', timeoutMs: 30_000 });
  return { answer, named: { agent: view.agent, questionId: view.questionId }, view };
}

const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'none',
    (error: unknown) => SwarmError.from(error).code,
  );

test('an agent of any role asks, and gets the answer with the name of the person', async () => {
  for (const role of ['worker', 'observer', 'role-of-no-policy']) {
    const agent = await join(undefined, role);
    const { answer, named, view } = await asked(agent, { text: 'Deploy?', options: [{ id: 'y', label: 'Yes' }] });
    expect(view).toMatchObject({ state: 'open', text: 'Deploy?', answer: null, by: null, schema: null, about: null });
    const { position, unchecked } = await operator.questions.answer({ ...named, answer: 'y', comment: 'go on' });
    expect({ position, unchecked }).toEqual({ position: expect.any(String), unchecked: null });
    const expected = { answer: 'y', comment: 'go on', by: '/operators/admin' };
    expect(await answer).toEqual({ questionId: named.questionId, ...expected });
    expect(await listOf(agent, 'answered')).toMatchObject([{ state: 'answered', ...expected }]);
  }
});

test('of two answers at the same time, one counts', async () => {
  const agent = await join();
  const { answer, named } = await asked(agent, { text: 'Which?' });
  const outcomes = await Promise.all([1, 2, 3].map((n) => refusal(operator.questions.answer({ ...named, answer: n }))));
  expect(outcomes.toSorted()).toEqual(['CONFLICT', 'CONFLICT', 'none']);
  expect((await answer).answer).toBe(outcomes.indexOf('none') + 1);
});

test('an answer that does not fit is refused with the reason, and the question stays open', async () => {
  const agent = await join();
  const choice = await asked(agent, {
    text: 'Which?',
    options: [
      { id: 'a', label: 'A' },
      { id: 'b', label: 'B' },
    ],
  });
  const schema = { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } };
  const form = await asked(agent, { text: 'How many?', schema });
  for (const [named, answer, words] of [
    [choice.named, 'A', '"a", "b"'],
    [choice.named, ['a'], '"a", "b"'],
    [form.named, { n: 1.5 }, '/n'],
    [form.named, {}, 'n'],
  ] as const) {
    await expect(operator.questions.answer({ ...named, answer: answer as never })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(words),
    });
  }
  expect(await listOf(agent)).toHaveLength(2);
  await operator.questions.answer({ ...form.named, answer: { n: 2 } });
  expect((await form.answer).answer).toEqual({ n: 2 });
});

test('a schema that cannot be tried in time does not stop the answer, which says so', async () => {
  const agent = await join();
  const { named } = await asked(agent, { text: 'Which?', schema: { pattern: '^(a+)+$' } });
  const { unchecked } = await operator.questions.answer({ ...named, answer: `${'a'.repeat(60)}!` });
  expect(unchecked).toMatch(/50 ms/);
});

test('an agent never answers itself, whatever its policy allows, and another agent does where its policy allows it', async () => {
  const namespace = core.freshNamespace();
  const admin = createSwarmClient({ url: core.url, token: core.adminToken, namespace });
  stack.push(() => admin.close());
  const shipped = createSwarmClient({ url: core.url, token: core.adminToken, namespace: core.namespace });
  stack.push(() => shipped.close());
  const own = await join();
  await expect(own.client.publish(`question.${own.agent.name}.answered`, {})).rejects.toMatchObject({
    code: 'ACL_DENIED',
  });

  const rules = { publish: ['question.>'], subscribe: ['question.>'] };
  await admin.policy.put({
    policy: { roles: { asker: rules, helper: rules }, default: { publish: [], subscribe: [] } },
  });
  const { token } = await admin.tokens.create({ kind: 'join', name: 'join', roles: '*' });
  const enter = async (name: string, role: string) => {
    const agent = await connectAgent({ url: core.url, token, namespace, name, role, version: '1.0.0' });
    stack.push(() => agent.stop());
    return agent;
  };
  const [asker, helper] = [await enter('asker', 'asker'), await enter('helper', 'helper')];
  const questionId = crypto.randomUUID();
  const answer = asker.ask({ text: 'May I?', questionId });
  await waitFor(async () => (await admin.questions.list({})).questions[0], { what: 'the question' });
  await asker.client.publish('question.asker.answered', { questionId, answer: 'I may', by: '/operators/admin' });
  await helper.client.publish('question.asker.answered', { questionId, answer: 'you may', by: '/operators/admin' });
  expect(await answer).toEqual({ questionId, answer: 'you may', comment: null, by: expect.any(String) });
  const [ended] = await waitFor(
    async () => {
      const { questions } = await admin.questions.list({ state: 'answered' });
      return questions.length > 0 ? questions : null;
    },
    { what: 'the answer in the table' },
  );
  expect(ended).toMatchObject({
    answer: 'you may',
    by: helper.agent.namespace === namespace ? `/agents/${namespace}/helper` : '',
  });
  expect(await refusal(admin.questions.answer({ agent: 'asker', questionId, answer: 1 }))).toBe('CONFLICT');
});

test('a question expires, is withdrawn by its agent, and ends when its agent has left', async () => {
  const agent = await join();
  const [expiring, given, left] = [crypto.randomUUID(), new AbortController(), await join()];
  const soon = new Date(Date.now() + 1_500).toISOString();
  const topic = `question.${agent.agent.name}.asked`;
  await agent.client.publish(topic, { questionId: expiring, text: 'Soon?', expiresAt: soon });
  await waitFor(async () => (await listOf(agent)).length === 1, { what: 'the question that expires' });
  const up = await asked(agent, { text: 'Still?' }, { signal: given.signal });
  given.abort(new Error('changed my mind'));
  await expect(up.answer).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  const gone = await asked(left, { text: 'Anyone?' });
  await left.stop();
  await expect(gone.answer).rejects.toThrow();
  const withdrawn = await waitFor(
    async () => {
      const ended = [...(await listOf(agent, 'withdrawn')), ...(await listOf(left, 'withdrawn'))];
      return ended.length === 3 ? ended : null;
    },
    { what: 'all to be withdrawn', timeoutMs: 20_000 },
  );
  expect(withdrawn.map(({ reason }) => reason ?? '').toSorted()).toEqual([
    'the agent has left',
    'the agent no longer asks',
    'the question has expired',
  ]);
  expect(await refusal(operator.questions.answer({ ...gone.named, answer: 1 }))).toBe('CONFLICT');
  await expect(agent.ask({ text: 'Soon?', questionId: expiring })).rejects.toEqual(
    new QuestionError(expiring, 'the question has expired'),
  );
  await expect(agent.ask({ text: 'Quick?' }, { timeoutMs: 300 })).rejects.toThrow('it was not answered in time');
});

test('of a thousand questions of one agent a hundred are open, and each of the others is withdrawn with the reason', async () => {
  const agent = await join();
  const topic = `question.${agent.agent.name}.asked`;
  const answer = agent.ask({ text: 'The first' });
  answer.catch(() => {});
  await waitFor(async () => (await listOf(agent)).length === 1, { what: 'the first question' });
  const questions = Array.from({ length: 999 }, (_, n) => ({ questionId: crypto.randomUUID(), text: `Question ${n}` }));
  await Promise.all(questions.map((data) => agent.client.publish(topic, data)));
  const ended = await waitFor(
    async () => {
      const page = await listOf(agent, 'withdrawn');
      return page.length === 100 && (await listOf(agent)).length === LIMITS.openQuestions ? page : null;
    },
    { what: 'a hundred to be open', timeoutMs: 30_000 },
  );
  expect(ended.every(({ reason }) => reason === 'the agent has 100 open questions already')).toBe(true);
  await expect(agent.ask({ text: 'One more' })).rejects.toThrow('the agent has 100 open questions already');
  const [first] = await listOf(agent);
  await operator.questions.answer({ agent: agent.agent.name, questionId: first?.questionId ?? '', answer: 'ok' });
  expect((await answer).answer).toBe('ok');
});

test('hostile text comes back as it is, and what is no question is refused with the path', async () => {
  const agent = await join();
  const text = '<img src=x onerror=alert(1)> \u202Eevil\u2066 `$(reboot)` \u001b[31m';
  const { view, named } = await asked(agent, {
    text,
    options: [{ id: '<b>', label: '"><script>' }],
    schema: { $ref: 'http://169.254.169.254/' },
  });
  expect(view).toMatchObject({ text, options: [{ id: '<b>', label: '"><script>' }] });
  expect((await operator.questions.answer({ ...named, answer: '<b>' })).unchecked).toMatch(/cannot be tried/);
  for (const [question, path] of [
    [{ text: '' }, 'data.text'],
    [{ text: 'x'.repeat(4_097) }, 'data.text'],
    [{ text: 'a', questionId: 'none' }, 'data.questionId'],
    [
      {
        text: 'a',
        options: [
          { id: 'a', label: 'A' },
          { id: 'a', label: 'B' },
        ],
      },
      'data.options',
    ],
  ] as [QuestionInput, string][]) {
    await expect(agent.ask(question)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: [expect.objectContaining({ path })],
    });
  }
});

test('a question is asked by its agent alone', async () => {
  const agent = await join();
  await operator.publish(`question.${agent.agent.name}.asked`, { questionId: crypto.randomUUID(), text: 'Forged?' });
  const { view } = await asked(agent, { text: 'Real?' });
  expect(view.text).toBe('Real?');
});

test('the same question asked again is the same, also after its answer, and asked by two waits is answered to both', async () => {
  const agent = await join();
  const questionId = crypto.randomUUID();
  const first = await asked(agent, { text: 'Again?', questionId });
  const second = agent.ask({ text: 'Again?', questionId });
  await operator.questions.answer({ ...first.named, answer: 1 });
  expect([(await first.answer).answer, (await second).answer]).toEqual([1, 1]);
  expect((await agent.ask({ text: 'Again?', questionId })).answer).toBe(1);
  expect(await listOf(agent, 'answered')).toHaveLength(1);
});

test('a task asks about itself, and its deadline stands still meanwhile', async () => {
  const agent = await join();
  const { name } = agent.agent;
  const desk = new TaskDesk(operator);
  serveTasks(agent, { work: async (_, { ask }) => (await ask({ text: 'Which colour?' })).answer });
  const task = await desk.assign(name, { deadlineAt: new Date(Date.now() + 1_000).toISOString() });
  const question = await waitFor(async () => (await listOf(agent))[0], { what: 'the question' });
  expect(question.about).toEqual({ planId: task.planId, taskId: task.taskId, attempt: task.attempt });
  await waitFor(() => Date.now() > Date.parse(task.deadlineAt) + 200, { what: 'the deadline to pass' });
  await operator.questions.answer({ agent: name, questionId: question.questionId, answer: 'blue' });
  expect((await desk.answerOf(task, 'completed')).data).toMatchObject({ output: 'blue' });
});
