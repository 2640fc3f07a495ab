// Goals that are submitted to a core: what is checked, who may, and what is published.
import { LIMITS, RegisterResult } from '@hypercode/contracts';
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';
import { step, swarmOn } from './goal-events.ts';

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

async function agentToken(namespace: string, role: string): Promise<string> {
  const json = { name: `a-${randomUUID().slice(0, 8)}`, role, version: '1.0.0' };
  const answer = await core.fetch('/v1/agents', { namespace, method: 'POST', json });
  return RegisterResult.parse(await answer.json()).token ?? '';
}

describe('a goal', () => {
  test('is published as the caller, under its id, and the answer names its plan', async () => {
    const { call, namespace } = swarmOn(core);
    const { status, location, body } = await call('/v1/goals', { json: { title: 'x', steps: [step('a')] } });
    expect(status).toBe(202);
    expect(body).toMatchObject({ duplicate: false });
    expect(location).toBe(`/v1/plans/${body.planId}?namespace=${namespace}`);
    const { body: read } = await call(`/v1/events?topics=goal.submitted&at=${body.position}`);
    expect(read.events).toMatchObject([
      {
        event: {
          id: body.eventId,
          source: '/operators/admin',
          correlationId: body.goalId,
          data: { goalId: body.goalId, title: 'x', steps: [step('a')] },
        },
      },
    ]);
    expect((await call(location ?? '')).body).toMatchObject({ planId: body.planId, status: 'planning', title: 'x' });
  });

  test('that is submitted again under its id is one goal', async () => {
    const { call } = swarmOn(core);
    const goal = { goalId: randomUUID(), title: 'once' };
    const first = await call('/v1/goals', { json: goal });
    const again = await call('/v1/goals', { json: { ...goal, goalId: goal.goalId.toUpperCase() } });
    expect(again.body).toEqual({ ...first.body, duplicate: true });
    expect((await call('/v1/plans')).body.plans).toHaveLength(1);
  });

  test.each<[object, string, string]>([
    [{}, 'title', ''],
    [{ title: 'x', deadlineMs: 0 }, 'deadlineMs', ''],
    [{ title: 'x', steps: [{ ...step('a'), capability: 'no!' }] }, 'steps.0.capability', ''],
    [{ title: 'x', steps: [] }, 'steps', 'no tasks'],
    [{ title: 'x', steps: [step('a', ['b']), step('b', ['a'])] }, 'steps', 'a → b → a'],
    [{ title: 'x', steps: [{ ...step('a'), input: 'y'.repeat(259_000) }] }, 'steps', 'too large'],
    [{ goalId: 'no uuid', title: 'x' }, 'goalId', ''],
  ])(
    'that is invalid is refused with the path of what is wrong, and publishes nothing: %o',
    async (goal, path, why) => {
      const { call } = swarmOn(core);
      const { status, body } = await call('/v1/goals', { json: goal });
      expect({ status, code: body.code }).toEqual({ status: 400, code: 'INVALID_INPUT' });
      expect(body.details.map((detail: { path: string }) => detail.path)).toContain(path);
      expect(body.detail).toContain(why);
      expect((await call('/v1/events?topics=goal.%3E')).body.events).toEqual([]);
    },
  );

  test('that is larger than an event is refused', async () => {
    const { call } = swarmOn(core);
    const { status } = await call('/v1/goals', { json: { title: 'x', description: 'y'.repeat(LIMITS.eventBytes) } });
    expect(status).toBe(413);
  });

  test('is published for an agent where its policy allows the event', async () => {
    const { call, namespace } = swarmOn(core);
    const worker = await agentToken(namespace, 'worker');
    const json = { title: 'x' };
    expect((await call('/v1/goals', { json, token: worker })).body).toMatchObject({
      code: 'ACL_DENIED',
      details: { topic: 'goal.submitted' },
    });
    const architect = await agentToken(namespace, 'architect');
    const { status, body } = await call('/v1/goals', { json, token: architect });
    expect(status).toBe(202);
    const cancel = `/v1/goals/${body.goalId}/cancel`;
    expect((await call(cancel, { method: 'POST', token: worker })).body.code).toBe('ACL_DENIED');
    expect((await call(cancel, { method: 'POST', token: architect })).status).toBe(202);
  });

  test('is cancelled with an event that has the reason, with or without a body', async () => {
    const { call, submit } = swarmOn(core);
    const { goalId } = await submit();
    const { status, body } = await call(`/v1/goals/${goalId}/cancel`, { json: { reason: 'not needed' } });
    expect({ status, body }).toMatchObject({ status: 202, body: { goalId } });
    expect((await call(`/v1/goals/${goalId}/cancel`, { method: 'POST' })).status).toBe(202);
    const { body: read } = await call('/v1/events?topics=goal.cancelled');
    expect(read.events).toMatchObject([
      { position: body.position, event: { id: body.eventId, data: { goalId, reason: 'not needed' } } },
      { event: { data: { goalId } } },
    ]);
    expect((await call('/v1/goals/no-uuid/cancel', { method: 'POST' })).body.details).toMatchObject([
      { path: 'goalId' },
    ]);
  });
});
