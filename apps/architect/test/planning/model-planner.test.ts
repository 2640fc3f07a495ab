// A model as the planner meets it: helpful, confused, hostile, away.
import { LIMITS } from '@hypercode/contracts';
import { HeldClock } from '@hypercode/clock/testing';
import { trackLeaks, waitFor } from '@hypercode/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sampleAgent, sampleGoal } from '../sample-swarm.ts';
import { type ModelAnswer, startTestModel, type TestModel } from './model.ts';
import { createModelPlanner, type ModelPlannerOptions } from '../../src/planning/model-planner.ts';
import { planFaults } from '@hypercode/plans';

const KEY = 'sk-very-secret-0123456789';
const SCHEMA = { type: 'object', properties: { query: { type: 'string' } } };
const AGENTS = [
  sampleAgent('seeker', [{ id: 'web-search', description: 'Searches the web', inputSchema: SCHEMA }]),
  sampleAgent('writer', ['write-article', 'translate']),
];
const GOAL = sampleGoal({ title: 'Write about bees', description: 'In French, please.' });

interface Warning {
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

const models: TestModel[] = [];
let warnings: Warning[] = [];
/** What the process is warned of. */
let processWarnings: Error[] = [];
const onWarning = (warning: Error): void => void processWarnings.push(warning);

beforeEach(() => {
  warnings = [];
  processWarnings = [];
  process.on('warning', onWarning);
});
afterEach(async () => {
  process.off('warning', onWarning);
  await Promise.all(models.splice(0).map((model) => model.close()));
  expectDiscretion();
});

function expectDiscretion(): void {
  expect(processWarnings).toEqual([]);
  expect(JSON.stringify(warnings)).not.toContain(KEY);
}

async function serve(...answers: ModelAnswer[]): Promise<TestModel> {
  const model = await startTestModel(...answers);
  models.push(model);
  return model;
}

const plannerOf = (url: string, options: Partial<ModelPlannerOptions> = {}) =>
  createModelPlanner({
    url,
    model: 'test-model',
    key: KEY,
    logger: { warn: (fields, message) => warnings.push({ fields, message }) },
    ...options,
  });

const ask = (url: string, options: Partial<ModelPlannerOptions> = {}, signal = new AbortController().signal) =>
  plannerOf(url, options).plan(GOAL, AGENTS, { signal });

interface DraftTask {
  id: string;
  title: string;
  capability: string;
  instruction: string;
  input: string;
  dependsOn: string[];
}
const draft = (id: string, fields: Partial<DraftTask> = {}): DraftTask => ({
  id,
  title: `Title of ${id}`,
  capability: 'web-search',
  instruction: `Do ${id}`,
  input: '',
  dependsOn: [],
  ...fields,
});
const planOf = (...tasks: DraftTask[]): string => JSON.stringify({ tasks });

const GOOD = planOf(
  draft('find', { input: '{"query":"bees"}' }),
  draft('write', { capability: 'write-article', dependsOn: ['find'] }),
);
const GOOD_TASKS = [
  { taskId: 'find', title: 'Title of find', capability: 'web-search', input: { query: 'bees' }, dependsOn: [] },
  {
    taskId: 'write',
    title: 'Title of write',
    capability: 'write-article',
    input: { goal: 'Write about bees', instruction: 'Do write' },
    dependsOn: ['find'],
  },
];

/** The messages of a request, and what JSON they hold. */
function messagesOf({ body }: { readonly body: string }): { role: string; content: string }[] {
  return (JSON.parse(body) as { messages: { role: string; content: string }[] }).messages;
}

describe('a model that answers', () => {
  test('is asked in one request, with the goal and the swarm as data', async () => {
    const model = await serve(GOOD);
    expect(await ask(model.url)).toEqual(GOOD_TASKS);
    expect(warnings).toEqual([]);
    expect(model.requests).toHaveLength(1);
    const [request] = model.requests;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/v1/chat/completions',
      headers: { authorization: `Bearer ${KEY}` },
    });
    const body = JSON.parse(request?.body ?? '') as Record<string, unknown>;
    expect(body).toMatchObject({ model: 'test-model', response_format: { type: 'json_schema' } });
    expect(request?.body).not.toContain(KEY);
    const [system, user] = messagesOf(request ?? { body: '' });
    expect(system?.role).toBe('system');
    expect(JSON.parse(user?.content ?? '')).toEqual({
      goal: { title: 'Write about bees', description: 'In French, please.' },
      capabilities: [
        { id: 'write-article' },
        { id: 'translate' },
        { id: 'web-search', description: 'Searches the web', inputSchema: SCHEMA },
      ],
    });
  });

  test('needs no key', async () => {
    const model = await serve(GOOD);
    expect(await ask(model.url, { key: undefined })).toEqual(GOOD_TASKS);
    expect(model.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  test.each([
    ['in fences', `\`\`\`json\n${GOOD}\n\`\`\``],
    ['in a sentence', `Here is the plan:\n\n${GOOD}\n\nGood luck!`],
    ['after thoughts', `<think>Maybe {"tasks": …}?</think>\n${GOOD}`],
  ])('may put JSON %s', async (_, answer) => {
    const model = await serve(answer);
    expect(await ask(model.url)).toEqual(GOOD_TASKS);
    expect(model.requests).toHaveLength(1);
  });

  test('that finds no way is not asked again', async () => {
    const model = await serve(planOf());
    expect(await ask(model.url)).toBeNull();
    expect(model.requests).toHaveLength(1);
    expect(warnings).toEqual([{ fields: { goalId: GOAL.goalId }, message: 'the model found no plan for the goal' }]);
  });

  test('is not asked when nobody offers anything, nor for what an architect offers', async () => {
    const model = await serve(GOOD);
    const agents = [sampleAgent('architect', ['web-search', 'write-article'], { role: 'architect' })];
    expect(await plannerOf(model.url).plan(GOAL, agents, { signal: new AbortController().signal })).toBeNull();
    expect(model.requests).toHaveLength(0);
  });
});

describe('a faulty answer', () => {
  test.each<[string, string, string]>([
    ['no JSON', 'Sure, I can help with that!', 'the answer must be JSON'],
    ['cut off', GOOD.slice(0, 100), 'the answer must be JSON'],
    ['of another shape', '{"tasks":[{"id":1}]}', 'tasks.0.id: '],
    ['with a prototype', '{"__proto__":{"tasks":[],"polluted":true}}', 'tasks: '],
    [
      'with a cycle',
      planOf(draft('a', { dependsOn: ['b'] }), draft('b', { dependsOn: ['a'] })),
      'the tasks depend on each other in a cycle: a → b → a',
    ],
    ['that dangles', planOf(draft('a', { dependsOn: ['b'] })), 'which is not a task of the plan'],
    ['with an unknown capability', planOf(draft('a', { capability: 'fly' })), 'task 1 names the capability \\"fly\\"'],
    ['with a topic for a capability', planOf(draft('a', { capability: 'system.>' })), 'which is not offered'],
    ['with a name of every object', planOf(draft('a', { capability: 'constructor' })), 'which is not offered'],
    ['with a path for an id', planOf(draft('../../x')), 'task 1 has the id \\"../../x\\"'],
    ['with a prototype for an id', planOf(draft('__proto__')), 'task 1 has the id'],
    ['with an id twice', planOf(draft('a'), draft('a')), 'given more than once'],
    ['without a title', planOf(draft('a', { title: ' ' })), 'task 1 has no title'],
    [
      'with what no store takes',
      planOf(draft('a', { instruction: 'a\0b' })),
      'task 1 has instruction that must not contain NUL',
    ],
    [
      'with an input that is no JSON',
      planOf(draft('a', { input: '{query}' })),
      'task 1 has an input that must be JSON text',
    ],
    ['with a bottomless input', planOf(draft('a', { input: '['.repeat(100) + ']'.repeat(100) })), 'nested deeper'],
    [
      'with 10,000 tasks',
      planOf(...Array.from({ length: 10_000 }, (_, i) => draft(`t${i}`))),
      'the plan has 10000 tasks',
    ],
    [
      'that no event holds',
      planOf(draft('a', { instruction: 'x'.repeat(LIMITS.eventBytes) })),
      'the plan is too large',
    ],
  ])('%s is sent back once, with what is wrong', async (_, answer, fault) => {
    const model = await serve(answer, GOOD);
    expect(await ask(model.url)).toEqual(GOOD_TASKS);
    expect(warnings).toEqual([]);
    const [, repair] = model.requests;
    const messages = messagesOf(repair ?? { body: '' });
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(messages[3]?.content).toContain(fault);
    expect(messages[2]?.content.length).toBeLessThanOrEqual(32_768);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('that stays faulty is no plan, and nothing of it is logged', async () => {
    const model = await serve(planOf(draft(KEY, { capability: 'nobody-has-it' })));
    expect(await ask(model.url)).toBeNull();
    expect(model.requests).toHaveLength(2);
    expect(warnings).toEqual([
      { fields: { goalId: GOAL.goalId, faults: 1 }, message: 'the model returned no valid plan' },
    ]);
  });

  test('does not make a long title a fault', async () => {
    const model = await serve(planOf(draft('a', { title: '𝒳'.repeat(1000) })));
    const tasks = await ask(model.url);
    expect(tasks).toHaveLength(1);
    expect(tasks?.[0]?.title.isWellFormed()).toBe(true);
    expect(tasks?.[0]?.title.length).toBeLessThanOrEqual(LIMITS.titleLength);
    expect(planFaults(tasks ?? [])).toEqual([]);
  });
});

const status =
  (code: number, body = '', headers: Record<string, string> = {}): ModelAnswer =>
  (response) =>
    void response.writeHead(code, headers).end(body);

describe('no answer', () => {
  const unauthorized = JSON.stringify({
    error: { message: `Incorrect API key provided: ${KEY}`, code: 'invalid_api_key' },
  });

  test.each<[string, ModelAnswer, string]>([
    ['the key is refused, and echoed', status(401, unauthorized), 'the model answered with status 401'],
    ['too many requests', status(429, '{}', { 'retry-after': '3600' }), 'the model answered with status 429'],
    ['a server error', status(500, KEY), 'the model answered with status 500'],
    ['nothing in it', status(204), 'the answer is not a chat completion'],
    ['another protocol', status(200, '<html>Welcome</html>'), 'the answer is not a chat completion'],
    ['no choices', status(200, '{"choices":[]}'), 'the model did not answer'],
    ['a broken connection', (response) => response.destroy(), 'the connection failed: UND_ERR_SOCKET'],
  ])('%s is a warning', async (_, answer, reason) => {
    const model = await serve(answer);
    expect(await ask(model.url)).toBeNull();
    expect(model.requests).toHaveLength(1);
    expect(warnings).toEqual([
      { fields: { goalId: GOAL.goalId, reason }, message: 'the model could not be asked for a plan' },
    ]);
  });

  const reasons = (): unknown[] => warnings.map(({ fields }) => fields['reason']);

  test('nobody there', async () => {
    const model = await startTestModel(GOOD);
    await model.close();
    expect(await ask(model.url)).toBeNull();
    expect(reasons()).toEqual(['the connection failed: ECONNREFUSED']);
  });

  test.each(['http://user:password@127.0.0.1:1/v1', 'http://127.0.0.1:1/\0'])(
    'an address that can not be asked',
    async (url) => {
      expect(await ask(url)).toBeNull();
      expect(warnings).toHaveLength(1);
      expect(JSON.stringify(warnings)).not.toContain('password');
    },
  );

  test('a key that no header takes is not shown', async () => {
    const model = await serve(GOOD);
    expect(await ask(model.url, { key: `${KEY}\n${KEY}` })).toBeNull();
    expect(reasons()).toEqual(['the model did not answer']);
  });

  test.each([301, 302, 303, 307, 308])('a redirect (%i) is not followed', async (code) => {
    const elsewhere = await serve(GOOD);
    const model = await serve(status(code, 'x', { location: `${elsewhere.url}/chat/completions` }));
    expect(await ask(model.url)).toBeNull();
    expect(elsewhere.requests).toHaveLength(0);
    expect(reasons()).toEqual([`the model answered with a redirect (status ${code}), which is not followed`]);
  });

  test.each([200, 500])('a huge answer with status %i is not read to its end', async (code) => {
    let sent = 0;
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const model = await serve((response) => {
      response.writeHead(code, { 'content-type': 'application/json' });
      const more = (): void => {
        while (sent < 50 * 1024 * 1024 && !response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    });
    expect(await ask(model.url)).toBeNull();
    expect(reasons()).toEqual(['the answer is longer than 2097152 bytes']);
    await waitFor(async () => (await model.connections()) === 0, { what: 'the connection to be closed' });
    expect(sent).toBeLessThan(25 * 1024 * 1024);
  });

  test.each<[string, (response: Parameters<Exclude<ModelAnswer, string>>[0]) => void]>([
    ['never comes', () => {}],
    ['never ends', (response) => void response.writeHead(200).write('{')],
    [
      'drips',
      (response) => {
        const timer = setInterval(() => response.write(' '), 5);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('an answer that %s is given up', async (_, answer) => {
    const model = await serve(answer);
    expect(await ask(model.url, { timeoutMs: 100 })).toBeNull();
    expect(reasons()).toEqual(['the model did not answer within 100 ms']);
    await waitFor(async () => (await model.connections()) === 0, { what: 'the connection to be closed' });
  });

  test('the repair has no time of its own', async () => {
    const model = await serve('no JSON', () => {});
    expect(await ask(model.url, { timeoutMs: 300 })).toBeNull();
    expect(reasons()).toEqual(['the model did not answer within 300 ms']);
  });

  test('the caller who aborts is told so, and nobody else is', async () => {
    const leaks = trackLeaks();
    const caller = new AbortController();
    const model = await serve(() => caller.abort(new Error('stopping')));
    await expect(ask(model.url, {}, caller.signal)).rejects.toThrow('stopping');
    expect(warnings).toEqual([]);
    await model.close();
    await leaks.check();
  });
});

describe('a large swarm', () => {
  test('is told of within bounds, what the goal speaks of first', async () => {
    const model = await serve(GOOD);
    const agents = Array.from({ length: 100 }, (_, i) =>
      sampleAgent(
        `a${i}`,
        Array.from({ length: 64 }, (__, j) => ({
          id: `skill-${i}-${j}`,
          description: 'd'.repeat(4096),
          tags: Array.from({ length: 32 }, () => 't'.repeat(64)),
          inputSchema: { type: 'object', description: 's'.repeat(10_000) },
        })),
      ),
    );
    await plannerOf(model.url).plan(GOAL, [...agents, ...AGENTS], { signal: new AbortController().signal });
    const [, user] = messagesOf(model.requests[0] ?? { body: '' });
    const { capabilities } = JSON.parse(user?.content ?? '') as { capabilities: { id: string }[] };
    expect(capabilities).toHaveLength(200);
    expect(capabilities[0]?.id).toBe('write-article');
    expect(user?.content.length).toBeLessThan(70_000);
  });

  test('may be asked for what it was not told of', async () => {
    const agents = Array.from({ length: 10 }, (_, i) =>
      sampleAgent(
        `a${i}`,
        Array.from({ length: 64 }, (__, j) => `skill-${i}-${j}`),
      ),
    );
    const model = await serve(planOf(draft('a', { capability: 'skill-9-63' })));
    const tasks = await plannerOf(model.url).plan(GOAL, agents, { signal: new AbortController().signal });
    expect(tasks).toHaveLength(1);
  });
});

/** An answer of a chat with this message. */
const says =
  (message: object, finish_reason = 'stop'): ModelAnswer =>
  (response) =>
    void response.end(JSON.stringify({ choices: [{ message: { role: 'assistant', ...message }, finish_reason }] }));

const callOf = (name: string, input: string) => ({
  id: 'call-1',
  type: 'function',
  function: { name, arguments: input },
});
const EMPTY = planOf();

test('a model that wants tools called is given none', async () => {
  const model = await serve(says({ content: null, tool_calls: [callOf('shell', '{"command":"id"}')] }, 'tool_calls'));
  expect(await ask(model.url)).toBeNull();
  expect(model.requests).toHaveLength(2);
  expect(warnings).toMatchObject([{ message: 'the model returned no valid plan' }]);
});

describe('a plan is read', () => {
  test.each<[string, ModelAnswer]>([
    ['in a fence, whatever follows it', `Sure!\n\`\`\`json\n${GOOD}\n\`\`\`\nOr {rather} ${EMPTY}? :}`],
    ['after thoughts with plans of their own', `<think>maybe ${EMPTY}? {</think>\n${GOOD}`],
    ['after thoughts without marks', `Maybe ${EMPTY}? No: ${GOOD}`],
    ['in thoughts that are all there is', `<think>${GOOD}</think>`],
    [
      'in parts',
      says({
        content: [
          { type: 'text', text: GOOD.slice(0, 50) },
          { type: 'text', text: GOOD.slice(50) },
        ],
      }),
    ],
    ['in a tool call', says({ content: null, tool_calls: [callOf('plan', GOOD)] }, 'tool_calls')],
    ['in the reasoning alone', says({ content: '', reasoning_content: `So it is ${GOOD}` })],
    ['in the answer before the reasoning', says({ content: GOOD, reasoning: `Maybe ${planOf(draft('other'))}` })],
    ['when it is whole, though the answer was cut off', says({ content: `${GOOD}\nAnd` }, 'length')],
  ])('%s', async (_, answer) => {
    const model = await serve(answer);
    expect(await ask(model.url)).toEqual(GOOD_TASKS);
    expect(model.requests).toHaveLength(1);
    expect(warnings).toEqual([]);
  });
});

describe('an answer without a plan is a warning with the reason', () => {
  test.each<[string, ModelAnswer, number, string]>([
    [
      'cut off',
      says({ content: GOOD.slice(0, 100) }, 'length'),
      2,
      'the answer was cut off at the length limit of the model',
    ],
    ['a refusal', says({ content: null, refusal: 'I can not do that' }), 1, 'the model refused to answer'],
    ['filtered', says({ content: 'I' }, 'content_filter'), 1, 'the answer was withheld by a content filter'],
  ])('%s', async (_, answer, requests, reason) => {
    const model = await serve(answer);
    expect(await ask(model.url)).toBeNull();
    expect(model.requests).toHaveLength(requests);
    expect(warnings).toMatchObject([{ fields: { reason }, message: 'the model returned no valid plan' }]);
  });

  test.each<[string, ModelAnswer, string]>([
    [
      'a stream',
      status(200, 'data: {}\n\n', { 'content-type': 'text/event-stream' }),
      'the model answered with a stream of events, which was not asked for',
    ],
    [
      'an error with status 200',
      status(200, `{"error":{"message":"${KEY}","code":"${KEY}"}}`),
      'the model answered with an error',
    ],
    [
      'an error that names a status',
      status(200, '{"error":{"message":"no","code":402}}'),
      'the model answered with status 402',
    ],
  ])('%s', async (_, answer, reason) => {
    const model = await serve(answer);
    expect(await ask(model.url)).toBeNull();
    expect(warnings).toMatchObject([{ fields: { reason }, message: 'the model could not be asked for a plan' }]);
  });
});

describe('a server that does not take the schema', () => {
  const formatsOf = ({ requests }: TestModel): unknown[] =>
    requests.map(({ body }) => (JSON.parse(body) as { response_format?: { type: string } }).response_format?.type);
  const refusal = status(400, '{"error":{"message":"This response_format type is unavailable now"}}');

  test.each<[string, ModelAnswer[], unknown[]]>([
    ['for any JSON', [refusal], ['json_schema', 'json_object']],
    ['for text, when it takes no format', [refusal, status(422)], ['json_schema', 'json_object', undefined]],
    [
      'also when it refuses with status 200',
      [status(200, '{"error":"not supported"}')],
      ['json_schema', 'json_object'],
    ],
  ])('is asked again without, %s, and from then on', async (_, refusals, formats) => {
    const model = await serve(...refusals, GOOD);
    const planner = plannerOf(model.url);
    const { signal } = new AbortController();
    expect(await planner.plan(GOAL, AGENTS, { signal })).toEqual(GOOD_TASKS);
    expect(formatsOf(model)).toEqual(formats);
    expect(await planner.plan(GOAL, AGENTS, { signal })).toEqual(GOOD_TASKS);
    expect(formatsOf(model)).toEqual([...formats, formats.at(-1)]);
    expect(warnings).toEqual([]);
  });

  test('and nothing else either is asked with it the next time', async () => {
    const model = await serve(refusal, refusal, refusal, GOOD);
    const planner = plannerOf(model.url);
    const { signal } = new AbortController();
    expect(await planner.plan(GOAL, AGENTS, { signal })).toBeNull();
    expect(await planner.plan(GOAL, AGENTS, { signal })).toEqual(GOOD_TASKS);
    expect(formatsOf(model)).toEqual(['json_schema', 'json_object', undefined, 'json_schema']);
  });
});

describe('a busy server', () => {
  /** The goal is planned on a clock that the test moves. */
  const begin = (url: string, goal: Partial<typeof GOAL> = {}) => {
    const clock = new HeldClock();
    const planner = plannerOf(url, { clock, timeoutMs: 10_000 });
    return { clock, plan: planner.plan({ ...GOAL, ...goal }, AGENTS, { signal: new AbortController().signal }) };
  };
  const pause = (clock: HeldClock) => waitFor(() => clock.armed === 2, { what: 'the pause' });

  test.each<[string, ModelAnswer, number]>([
    ['as long as it asks for', status(429, '{}', { 'retry-after': '3' }), 3_000],
    ['as long as it asks for in milliseconds', status(429, '{}', { 'retry-after-ms': '1500' }), 1_500],
    ['until the time that it names', status(503, '', { 'retry-after': 'Thu, 01 Jan 2026 00:00:02 GMT' }), 2_000],
    ['a little when it names none', status(503, 'overloaded'), 250],
    ['also when it reports that with status 200', status(200, '{"error":{"code":429}}'), 250],
  ])('is asked again after a pause, %s', async (_, answer, pauseMs) => {
    const model = await serve(answer, GOOD);
    const { clock, plan } = begin(model.url);
    await pause(clock);
    expect(clock.nextInMs).toBe(pauseMs);
    clock.advance(pauseMs);
    expect(await plan).toEqual(GOOD_TASKS);
    expect(clock.armed).toBe(0);
  });

  test('is asked as long as there is time, with growing pauses', async () => {
    const model = await serve(status(503));
    const { clock, plan } = begin(model.url);
    const pauses: number[] = [];
    let hasEnded = false;
    void plan.finally(() => (hasEnded = true));
    while (!hasEnded) {
      await waitFor(() => hasEnded || clock.armed === 2, { what: 'a pause or the end' });
      if (hasEnded) break;
      pauses.push(clock.nextInMs);
      clock.advance(clock.nextInMs);
    }
    expect(await plan).toBeNull();
    expect(pauses).toEqual([250, 500, 1_000, 2_000, 4_000]);
    expect(warnings).toMatchObject([{ fields: { reason: 'the model answered with status 503' } }]);
  });

  test('is not waited for beyond the deadline of the goal', async () => {
    const model = await serve(status(429, '{}', { 'retry-after': '3' }));
    const { plan } = begin(model.url, { deadlineMs: 2_000 });
    expect(await plan).toBeNull();
    expect(warnings).toMatchObject([{ fields: { reason: 'the model answered with status 429' } }]);
  });
});
