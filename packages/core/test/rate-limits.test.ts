// The answers to callers that exceed a rate, on every transport. Calls that compete are made at once: time goes on.
import { PublishManyResult, RegisterResult } from '@hypercode/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectProblem, START_TIMEOUT_MS, startTestCore, type TestCore } from '../testing/core.ts';

let core: TestCore;

beforeAll(async () => {
  // One at once: a second's worth of events, ten seconds' worth of registrations.
  core = await startTestCore({ ratePublish: 1, rateRegister: 0.1 });
}, START_TIMEOUT_MS);
afterAll(() => core.close());

it('says when the next registration and the next event may come', async () => {
  const json = { name: 'one', role: 'worker', version: '1.0.0' };
  const register = () => core.fetch('/v1/agents', { method: 'POST', json });
  const [first, second] = (await Promise.all([register(), register()])).toSorted((a, b) => a.status - b.status);
  if (first === undefined || second === undefined) throw new Error('two answers');
  const { token = '' } = RegisterResult.parse(await first.json());
  const problem = await expectProblem(second, 'RATE_LIMITED');
  expect(problem.retryAfterMs).toBeGreaterThan(0);
  expect(problem.detail).toContain('registrations of one name');
  // Another name has a share of its own.
  expect((await core.fetch('/v1/agents', { method: 'POST', json: { ...json, name: 'two' } })).status).toBe(201);

  const update = () => core.fetch('/trpc/registry.update', { method: 'POST', json: { name: 'one', set: {} } });
  const refused = (await Promise.all([update(), update()])).find(({ status }) => status === 429);
  expect(await refused?.json()).toMatchObject({
    error: {
      message: expect.stringContaining('updates of one agent'),
      data: { swarm: { code: 'RATE_LIMITED', retryable: true, retryAfterMs: expect.any(Number) } },
    },
  });

  const event = { topic: 'task.one.progress', data: 1 };
  const denied = { topic: 'plan.created', data: 1 };
  const publish = (events: unknown) => core.fetch('/v1/events', { method: 'POST', token, json: events });
  const { results } = PublishManyResult.parse(await (await publish([denied, event, event, denied])).json());
  expect(results).toMatchObject([
    { error: { code: 'ACL_DENIED' } },
    { duplicate: false },
    { error: { code: 'RATE_LIMITED', retryable: true, retryAfterMs: expect.any(Number) } },
    // What follows in the list is refused with it, so that nothing gets ahead.
    { error: { code: 'RATE_LIMITED', retryable: true, retryAfterMs: expect.any(Number) } },
  ]);
  const cloudEvent = { specversion: '1.0', id: 'one', source: '/x', type: event.topic, data: 1 };
  const batch = await core.fetch('/v1/events', {
    method: 'POST',
    token,
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify([{ ...cloudEvent, type: undefined }, cloudEvent, cloudEvent, { specversion: '1.0' }]),
  });
  const refusals = PublishManyResult.parse(await batch.json()).results.map((one) =>
    'error' in one ? one.error.code : 'ok',
  );
  expect(refusals).toEqual(['INVALID_INPUT', 'RATE_LIMITED', 'RATE_LIMITED', 'RATE_LIMITED']);
  const answers = await Promise.all([publish(event), publish(event)]);
  const late = answers.find(({ status }) => status === 429);
  if (late === undefined) throw new Error('both were taken');
  await expectProblem(late, 'RATE_LIMITED');
});
