// Traces and previews on a whole core: what the registry adds to them, over REST and tRPC, and with the client's errors.
import { EventTrace, PreviewResult, PublishResult, RegisterResult } from '@hypercode/contracts';
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test, vi } from 'vitest';
import { expectProblem, sharedCore, START_TIMEOUT_MS, type TestCore } from '../testing/core.ts';
import { OPEN_POLICY } from './sample-inputs.ts';

let core: TestCore;
let ada: string;

beforeAll(async () => {
  core = await sharedCore();
  await core.fetch('/v1/policy', { method: 'PUT', json: { policy: OPEN_POLICY } });
  ada = await registered('ada', {});
  await registered('listener', { topics: { publishes: ['work.>'], subscribes: ['work.*'] } });
  await registered('talker', { topics: { publishes: ['work.>'], subscribes: [] } });
}, START_TIMEOUT_MS);

async function registered(name: string, fields: object): Promise<string> {
  const json = { namespace: core.namespace, name, role: 'worker', version: '1.0.0', ...fields };
  const answer = await core.fetch('/v1/agents', { method: 'POST', json });
  return RegisterResult.parse(await answer.json()).token ?? '';
}

const publish = (json: object, token = ada) => core.fetch('/v1/events', { method: 'POST', token, json });
const preview = async (query: string, token = core.adminToken) =>
  PreviewResult.parse(await (await core.fetch(`/v1/events/preview?${query}`, { token })).json());

test('a trace names the rule that admitted an agent, by the role that it had', async () => {
  const { id, position } = PublishResult.parse(await (await publish({ topic: 'work.done', data: 1 })).json());
  const trace = EventTrace.parse(await (await core.fetch(`/v1/events/${id}/trace`)).json());
  const source = `/agents/${core.namespace}/ada`;
  expect(trace.admittedBy).toEqual({ source, rule: '>', policyVersion: 1 });
  expect(trace.event).toMatchObject({ position, event: { id, source } });
  const input = encodeURIComponent(JSON.stringify({ namespace: core.namespace, position }));
  const answer = await core.fetch(`/trpc/bus.trace?input=${input}`);
  expect(await answer.json()).toMatchObject({ result: { data: { event: trace.event, admittedBy: trace.admittedBy } } });
  // An agent that is gone had a role, too.
  const eve = await registered('eve', { role: 'boss' });
  const last = PublishResult.parse(await (await publish({ topic: 'work.done', data: 2 }, eve)).json());
  await core.fetch('/v1/agents/eve', { method: 'DELETE' });
  const ofEve = EventTrace.parse(await (await core.fetch(`/v1/events/${last.id}/trace`)).json());
  expect(ofEve.admittedBy).toMatchObject({ rule: '>', policyVersion: 1 });
});

test('a trace of what is not there is NOT_FOUND, and one of nothing INVALID_INPUT', async () => {
  await expectProblem(await core.fetch(`/v1/events/${randomUUID()}/trace`), 'NOT_FOUND');
  const input = encodeURIComponent(JSON.stringify({ namespace: core.namespace }));
  expect(await (await core.fetch(`/trpc/bus.trace?input=${input}`)).text()).toContain('INVALID_INPUT');
});

test('a trace has a subscription that is open, with where its connection stands', async () => {
  const over = new AbortController();
  const stream = await core.fetch('/v1/events/stream?topics=traced.%3E', { token: ada, signal: over.signal });
  const reader = stream.body?.getReader();
  await reader?.read();
  const { id } = PublishResult.parse(await (await publish({ topic: 'traced.here', data: 1 })).json());
  await vi.waitFor(async () => {
    const trace = EventTrace.parse(await (await core.fetch(`/v1/events/${id}/trace`)).json());
    const own = trace.streams.list.filter(({ caller }) => caller === `/agents/${core.namespace}/ada`);
    expect(own).toMatchObject([{ state: 'passed', topics: ['traced.>'] }]);
  }, 10_000);
  over.abort();
});

test('a preview names the agents that declare a topic and do not listen', async () => {
  expect(await preview('topic=work.new&name=ada')).toMatchObject({
    allowed: true,
    rule: '>',
    circuit: 'closed',
    streams: 0,
    silent: ['listener'],
  });
  expect((await preview('topic=work.new', ada)).silent).toEqual(['listener']);
  await expectProblem(await core.fetch('/v1/events/preview?topic=a&name=nobody'), 'NOT_FOUND');
  await expectProblem(await core.fetch('/v1/events/preview?topic=a&name=talker', { token: ada }), 'FORBIDDEN');
});

test('a mandatory event without a receiver is UNROUTABLE over REST and tRPC, and is not stored', async () => {
  const event = { topic: 'work.lost', data: 1, mandatory: true };
  const problem = await expectProblem(await publish(event), 'UNROUTABLE');
  expect(problem.details).toEqual({ silent: ['listener'] });
  const input = { namespace: core.namespace, ...event };
  const answer = await core.fetch('/trpc/bus.publish', { method: 'POST', token: ada, json: input });
  expect(answer.status).toBe(409);
  const refused = { code: 'CONFLICT', swarm: { code: 'UNROUTABLE', details: problem.details } };
  expect(await answer.json()).toMatchObject({ error: { data: refused } });
  const read = await core.fetch('/v1/events?topics=work.lost');
  expect(await read.json()).toMatchObject({ events: [] });
});
