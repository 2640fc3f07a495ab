// The consumer groups' REST routes on a whole core: claim, settle, dead letters, and how each refuses.
import {
  ClaimResult,
  CountResult,
  DeadLettersResult,
  ExtendResult,
  GetGroupResult,
  GroupsResult,
  RegisterResult,
  SettleResult,
  TopicsResult,
} from '@hypercode/contracts';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { expectProblem, sharedCore, START_TIMEOUT_MS, type TestCore, type TestRequest } from '../../testing/core.ts';

let core: TestCore;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

const post = (path: string, namespace: string, json: unknown, options: TestRequest = {}) =>
  core.fetch(`${path}?namespace=${namespace}`, { method: 'POST', json, ...options });

const publish = (namespace: string, ...data: unknown[]) =>
  post(
    '/v1/events',
    namespace,
    data.map((one) => ({ topic: 'work.new', data: one })),
  );

const settings = { topics: ['work.*'], from: 'earliest', ackDeadlineMs: 60_000, maxDeliveries: 2 };

async function claim(namespace: string, fields: object = {}): Promise<ClaimResult['deliveries']> {
  const answer = await post('/v1/groups/crew/claim', namespace, { ...settings, ...fields });
  expect(answer.status).toBe(200);
  return ClaimResult.parse(await answer.json()).deliveries;
}

const idsOf = (deliveries: ClaimResult['deliveries']) => deliveries.map(({ deliveryId }) => deliveryId);

async function settle(how: 'ack' | 'nack', namespace: string, json: object): Promise<number> {
  const answer = await post(`/v1/groups/crew/${how}`, namespace, json);
  expect(answer.status).toBe(200);
  return SettleResult.parse(await answer.json()).settled;
}

async function deadLetters(namespace: string, query = ''): Promise<DeadLettersResult> {
  const answer = await core.fetch(`/v1/groups/crew/dead-letters?namespace=${namespace}${query}`);
  return DeadLettersResult.parse(await answer.json());
}

async function agentToken(namespace: string, name: string, role = 'worker'): Promise<string> {
  const json = { name, role, version: '1.0.0' };
  const answer = await core.fetch('/v1/agents', { namespace, method: 'POST', json });
  return RegisterResult.parse(await answer.json()).token ?? '';
}

describe('claim, ack and nack', () => {
  it('hand each event to one member, until it is done', async () => {
    const namespace = core.freshNamespace();
    await publish(namespace, 1, 2, 3);
    const [first, second] = [await claim(namespace, { max: 2 }), await claim(namespace)];
    expect(first.map(({ event, attempt }) => [event.data, attempt])).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(second.map(({ event }) => event.data)).toEqual([3]);
    expect(await settle('ack', namespace, { deliveryIds: idsOf(first) })).toBe(2);
    expect(await settle('ack', namespace, { deliveryIds: idsOf(first) })).toBe(0);
    expect(await settle('nack', namespace, { deliveryIds: idsOf(second) })).toBe(1);
    expect(await claim(namespace)).toMatchObject([{ event: { data: 3 }, attempt: 2 }]);
  });

  it('an extension moves the deadline of what is in flight, of nothing else, and never to earlier', async () => {
    const namespace = core.freshNamespace();
    await publish(namespace, 'long', 'done');
    const [long, done] = await claim(namespace);
    expect(Date.parse(long?.dueAt ?? '') - Date.now()).toBeLessThanOrEqual(settings.ackDeadlineMs);
    await settle('ack', namespace, { deliveryIds: [done?.deliveryId] });
    const extend = async (json: object) => {
      const answer = await post('/v1/groups/crew/extend', namespace, json);
      return ExtendResult.parse(await answer.json());
    };
    const both = { deliveryIds: [long?.deliveryId, done?.deliveryId] };
    expect(await extend({ ...both, byMs: 1 })).toEqual({ extended: 1, dueAt: long?.dueAt });
    const { extended, dueAt } = await extend({ ...both, byMs: 3_600_000 });
    expect(extended).toBe(1);
    expect(Date.parse(dueAt ?? '') - Date.parse(long?.dueAt ?? '')).toBeGreaterThan(3_000_000);
    expect(await extend({ deliveryIds: [done?.deliveryId], byMs: 1 })).toEqual({ extended: 0, dueAt: null });
    const tooLong = await post('/v1/groups/crew/extend', namespace, { ...both, byMs: 86_400_001 });
    await expectProblem(tooLong, 'INVALID_INPUT');
  });

  it('a consumer has no more open over its claims than it asks for', async () => {
    const namespace = core.freshNamespace();
    await publish(namespace, 1, 2, 3);
    const fields = { consumer: 'ann', maxInFlight: 2 };
    const taken = await claim(namespace, { ...fields, max: 3 });
    expect(taken).toHaveLength(2);
    expect(await claim(namespace, fields)).toEqual([]);
    await settle('ack', namespace, { deliveryIds: idsOf(taken).slice(1) });
    expect(await claim(namespace, fields)).toHaveLength(1);
  });

  it('a claim waits for the first event', async () => {
    const namespace = core.freshNamespace();
    await claim(namespace);
    const waiting = claim(namespace, { waitMs: 30_000 });
    await publish(namespace, 'at last');
    expect(await waiting).toMatchObject([{ event: { data: 'at last' } }]);
    expect(await claim(namespace, { waitMs: 1 })).toEqual([]);
  });

  it('a claim ends when its caller goes, and takes nothing', async () => {
    const namespace = core.freshNamespace();
    await claim(namespace);
    const claims = vi.spyOn(core.bus, 'claim');
    onTestFinished(() => claims.mockRestore());
    const gone = new AbortController();
    const waiting = post('/v1/groups/crew/claim', namespace, { ...settings, waitMs: 30_000 }, { signal: gone.signal });
    await vi.waitFor(() => expect(claims).toHaveBeenCalledTimes(1), 5000);
    gone.abort();
    await expect(waiting).rejects.toThrow('aborted');
    const [claimed] = claims.mock.results;
    expect(await claimed?.value).toMatchObject({ deliveries: [] });
    await publish(namespace, 1);
    expect(await claim(namespace)).toMatchObject([{ event: { data: 1 }, attempt: 1 }]);
  });
});

describe('GET /v1/groups/{group}', () => {
  it('shows the group, its members and what is under way, page by page, and takes nothing', async () => {
    const namespace = core.freshNamespace();
    await publish(namespace, 'one', 'two', 'three');
    const taken = [
      ...(await claim(namespace, { consumer: 'ann', max: 1 })),
      ...(await claim(namespace, { consumer: 'bob', max: 1 })),
    ];
    const view = async (query = ''): Promise<GetGroupResult> => {
      const answer = await core.fetch(`/v1/groups/crew?namespace=${namespace}${query}`);
      return GetGroupResult.parse(await answer.json());
    };
    const { group, members, open, nextCursor } = await view();
    expect(group).toMatchObject({ group: 'crew', inFlight: 2, lag: 1, paused: null });
    expect(members).toMatchObject([
      { consumer: 'ann', inFlight: 1, passedOver: false },
      { consumer: 'bob', inFlight: 1, passedOver: false },
    ]);
    expect(open.map(({ deliveryId }) => deliveryId)).toEqual(idsOf(taken));
    expect(open).toMatchObject([
      { topic: 'work.new', state: 'in_flight', attempt: 1, consumer: 'ann', dueAt: taken[0]?.dueAt },
      { consumer: 'bob' },
    ]);
    expect(nextCursor).toBe(null);
    const first = await view('&limit=1');
    const second = await view(`&limit=1&cursor=${first.nextCursor}`);
    expect([...first.open, ...second.open]).toEqual(open);
    expect(second.nextCursor).toBe(null);
    expect(await settle('ack', namespace, { deliveryIds: idsOf(taken) })).toBe(2);
  });

  it('refuses a cursor that it did not return, and a group that is none', async () => {
    const namespace = core.freshNamespace();
    await claim(namespace);
    const view = (path: string) => core.fetch(`/v1/groups/${path}`);
    await expectProblem(await view(`crew?namespace=${namespace}&cursor=x`), 'INVALID_INPUT');
    await expectProblem(await view(`absent?namespace=${namespace}`), 'NOT_FOUND');
  });
});

describe('dead letters', () => {
  it('are listed, delivered again, and dropped', async () => {
    const namespace = core.freshNamespace();
    await publish(namespace, 'bad', 'worse');
    for (let attempt = 1; attempt <= settings.maxDeliveries; attempt += 1) {
      const deliveryIds = idsOf(await claim(namespace));
      expect(await settle('nack', namespace, { deliveryIds, reason: `failed ${attempt}` })).toBe(2);
    }
    const {
      deadLetters: [first],
      nextCursor,
    } = await deadLetters(namespace, '&limit=1');
    expect(first).toMatchObject({
      event: { data: 'bad' },
      reason: 'failed 2',
      history: [{ attempt: 1 }, { attempt: 2 }],
    });
    const rest = await deadLetters(namespace, `&cursor=${nextCursor}`);
    expect(rest).toMatchObject({ deadLetters: [{ event: { data: 'worse' } }], nextCursor: null });

    const redriven = await post('/v1/groups/crew/dead-letters/redrive', namespace, {
      deliveryIds: [first?.deliveryId],
    });
    expect(CountResult.parse(await redriven.json())).toEqual({ count: 1 });
    expect(await claim(namespace)).toMatchObject([{ event: { data: 'bad' }, attempt: 1 }]);
    const discarded = await post('/v1/groups/crew/dead-letters/discard', namespace, { all: true });
    expect(CountResult.parse(await discarded.json())).toEqual({ count: 1 });
    expect(await deadLetters(namespace)).toEqual({ deadLetters: [], nextCursor: null });
  });
});

it('groups and topics are listed', async () => {
  const namespace = core.freshNamespace();
  await publish(namespace, 1, 2);
  await post('/v1/events', namespace, { topic: 'other', data: 1 });
  await claim(namespace, { max: 1 });
  const query = `?namespace=${namespace}`;
  const { groups } = GroupsResult.parse(
    await (await core.fetch(`/v1/groups${query}`, { token: core.viewerToken })).json(),
  );
  const { topics: patterns, ackDeadlineMs, maxDeliveries } = settings;
  expect(groups).toMatchObject([
    { group: 'crew', topics: patterns, ackDeadlineMs, maxDeliveries, inFlight: 1, waiting: 0, deadLetters: 0 },
  ]);
  const topicsOf = async (page: string) =>
    TopicsResult.parse(await (await core.fetch(`/v1/topics${query}${page}`, { token: core.viewerToken })).json());
  const first = await topicsOf('&limit=1');
  expect(first).toMatchObject({ topics: [{ topic: 'other', count: 1 }], nextCursor: 'other' });
  expect(await topicsOf('&cursor=other')).toMatchObject({
    topics: [{ topic: 'work.new', count: 2 }],
    nextCursor: null,
  });
});

describe('refusals', () => {
  it.each<[string, unknown, string]>([
    ['claim', { group: undefined, topics: [] }, 'topics'],
    ['seek', {}, 'to'],
    ['seek', { to: { after: 'nonsense' } }, 'to.after'],
    ['pause', { reason: 'x'.repeat(1025) }, 'reason'],
    ['claim', { topics: [] }, 'topics'],
    ['claim', { topics: ['a..b'] }, 'topics.0'],
    ['claim', { ...settings, max: 0 }, 'max'],
    ['claim', { ...settings, waitMs: 30_001 }, 'waitMs'],
    ['claim', { ...settings, ackDeadlineMs: 99 }, 'ackDeadlineMs'],
    ['claim', { ...settings, maxDeliveries: 0 }, 'maxDeliveries'],
    ['claim', { ...settings, consumer: '' }, 'consumer'],
    ['claim', { ...settings, from: { after: 'a-1-1' } }, 'from.time'],
    ['claim', { ...settings, group: 'other' }, 'group'],
    ['claim', [], ''],
    ['ack', {}, 'deliveryIds'],
    ['ack', { deliveryIds: [] }, 'deliveryIds'],
    ['ack', { deliveryIds: ['nonsense'] }, 'deliveryIds.0'],
    ['nack', { deliveryIds: ['a-1-1.1'], delayMs: -1 }, 'delayMs'],
    ['nack', { deliveryIds: ['a-1-1.1'], reason: 'x'.repeat(1025) }, 'reason'],
    ['dead-letters/redrive', {}, 'deliveryIds'],
    ['dead-letters/redrive', { all: false }, 'all'],
    ['dead-letters/discard', { all: true, deliveryIds: ['a-1-1.1'] }, 'deliveryIds'],
  ])('%s of %j is INVALID_INPUT', async (route, json, path) => {
    await claim(core.namespace);
    const problem = await expectProblem(await post(`/v1/groups/crew/${route}`, core.namespace, json), 'INVALID_INPUT');
    expect(problem.details).toContainEqual({ path, reason: expect.any(String) });
  });

  it('a name that is none is INVALID_INPUT, a group that is none NOT_FOUND', async () => {
    await expectProblem(await post('/v1/groups/Crew/claim', core.namespace, settings), 'INVALID_INPUT');
    const deliveryIds = ['a-1-1.1'];
    await expectProblem(await post('/v1/groups/nobody/ack', core.namespace, { deliveryIds }), 'NOT_FOUND');
    await expectProblem(await post('/v1/groups/nobody/nack', core.namespace, { deliveryIds }), 'NOT_FOUND');
    await expectProblem(await core.fetch('/v1/groups/nobody/dead-letters'), 'NOT_FOUND');
    await expectProblem(
      await post('/v1/groups/nobody/dead-letters/redrive', core.namespace, { all: true }),
      'NOT_FOUND',
    );
    await expectProblem(await core.fetch('/v1/topics?limit=0'), 'INVALID_INPUT');
    await expectProblem(await core.fetch('/v1/topics?cursor=a%00'), 'INVALID_INPUT');
  });

  it('other settings are CONFLICT, and the answer names those in force', async () => {
    const namespace = core.freshNamespace();
    await claim(namespace);
    const answer = await post('/v1/groups/crew/claim', namespace, { ...settings, maxDeliveries: 9 });
    const { topics, ackDeadlineMs, maxDeliveries } = settings;
    expect((await expectProblem(answer, 'CONFLICT')).details).toEqual({
      existing: { topics, ackDeadlineMs, maxDeliveries },
      requested: { topics, ackDeadlineMs, maxDeliveries: 9 },
    });
  });

  it('a group is for those that it belongs to', async () => {
    const namespace = core.freshNamespace();
    const tokens = {
      victim: await agentToken(namespace, 'victim'),
      other: await agentToken(namespace, 'other'),
      eve: await agentToken(namespace, 'eve', 'observer'),
      mallory: await agentToken(namespace, 'mallory', 'guest'),
    };
    const own = { topics: ['task.victim.assigned'], from: 'earliest', maxDeliveries: 1 };
    for (const token of [tokens.mallory, tokens.eve, tokens.other]) {
      const denied = await expectProblem(
        await post('/v1/groups/victim/claim', namespace, { topics: ['agent.mallory.inbox.>'] }, { token }),
        'ACL_DENIED',
      );
      expect(denied.details).toMatchObject({ action: 'consume', group: 'victim' });
    }
    const claimed = await post('/v1/groups/victim/claim', namespace, own, { token: tokens.victim });
    expect(claimed.status).toBe(200);
    await post('/v1/events', namespace, { topic: 'task.victim.assigned', data: 1 });
    for (const route of ['claim', 'ack', 'nack', 'dead-letters/redrive', 'dead-letters/discard']) {
      const json = route === 'claim' ? own : { deliveryIds: ['lost-5-5.1.1'] };
      const answer = await post(`/v1/groups/victim/${route}`, namespace, json, { token: tokens.eve });
      await expectProblem(answer, 'ACL_DENIED');
    }
    await expectProblem(
      await core.fetch(`/v1/groups/victim/dead-letters?namespace=${namespace}`, { token: tokens.eve }),
      'ACL_DENIED',
    );
    const mine = await post('/v1/groups/victim/claim', namespace, own, { token: tokens.victim });
    expect(ClaimResult.parse(await mine.json()).deliveries).toMatchObject([{ event: { data: 1 } }]);
    const seen = async (token: string) =>
      GroupsResult.parse(await (await core.fetch(`/v1/groups?namespace=${namespace}`, { token })).json()).groups.map(
        ({ group }) => group,
      );
    expect(await seen(tokens.victim)).toEqual(['victim']);
    expect(await seen(tokens.other)).toEqual([]);
  });

  it('a group with the name of a role is for its agents', async () => {
    const namespace = core.freshNamespace();
    const claimed = { topics: ['plan.*'] };
    const [coder, worker] = [await agentToken(namespace, 'c', 'coder'), await agentToken(namespace, 'w')];
    expect((await post('/v1/groups/coder/claim', namespace, claimed, { token: coder })).status).toBe(200);
    const denied = await post('/v1/groups/coder/claim', namespace, claimed, { token: worker });
    expect((await expectProblem(denied, 'ACL_DENIED')).details).toEqual({
      role: 'worker',
      action: 'consume',
      group: 'coder',
      rule: 'group of role "coder"',
    });
  });

  it('a group refuses callers that may not subscribe to all its topics', async () => {
    const namespace = core.freshNamespace();
    const [delivery] = (await publish(namespace, 1), await claim(namespace));
    const token = await agentToken(namespace, 'outsider');
    const json = { deliveryIds: [delivery?.deliveryId] };
    const denied = await expectProblem(
      await post('/v1/groups/worker-own/claim', namespace, settings, { token }),
      'ACL_DENIED',
    );
    expect(denied.details).toMatchObject({ role: 'worker', action: 'subscribe', topic: 'work.*' });
    for (const route of ['ack', 'nack', 'dead-letters/redrive', 'dead-letters/discard']) {
      await expectProblem(await post(`/v1/groups/crew/${route}`, namespace, json, { token }), 'ACL_DENIED');
      await expectProblem(
        await post(`/v1/groups/crew/${route}`, namespace, json, { token: core.viewerToken }),
        'FORBIDDEN',
      );
    }
    const path = `/v1/groups/crew/dead-letters?namespace=${namespace}`;
    await expectProblem(await core.fetch(path, { token }), 'ACL_DENIED');
    expect((await core.fetch(path, { token: core.viewerToken })).status).toBe(200);
    await expectProblem(
      await post('/v1/groups/crew/claim', namespace, settings, { token: core.viewerToken }),
      'FORBIDDEN',
    );
    for (const route of ['/v1/groups', '/v1/topics']) {
      await expectProblem(await core.fetch(route, { token: core.joinToken }), 'FORBIDDEN');
      await expectProblem(await core.fetch(route, { token }), 'FORBIDDEN');
    }
  });
});

describe('steering', () => {
  it('pauses, updates, seeks, resumes and deletes a group, and publishes an event for each', async () => {
    const namespace = core.freshNamespace();
    await publish(namespace, 1, 2);
    const made = ClaimResult.parse(
      await (await post('/v1/groups/crew/claim', namespace, { ...settings, max: 1 })).json(),
    );
    const { groupId } = made;
    const call = async (path: string, method = 'POST', json?: unknown) => {
      const answer = await core.fetch(`/v1/groups/crew${path}`, { method, namespace, json });
      expect(answer.status).toBe(200);
      return (await answer.json()) as object;
    };
    const by = '/operators/admin';
    expect(await call('/pause', 'POST', { reason: 'a deployment' })).toMatchObject({
      groupId,
      changed: true,
      paused: { reason: 'a deployment', by, at: expect.any(String) },
    });
    expect(await call('/claim', 'POST', { waitMs: 20_000 })).toEqual({ deliveries: [], groupId, paused: true });
    expect(await call('', 'PATCH', { topics: ['work.>'], maxDeliveries: 4 })).toMatchObject({
      settings: { version: 2, topics: ['work.>'], maxDeliveries: 4, ackDeadlineMs: 60_000 },
    });
    expect(await call('', 'PATCH', { set: { maxDeliveries: 4 } })).toMatchObject({ changed: false });
    expect(await call('/seek', 'POST', { to: 'earliest', dropOpen: true })).toMatchObject({ dropped: 1 });
    expect(await call('/resume')).toMatchObject({ changed: true, paused: null });
    expect(await claim(namespace)).toMatchObject([{ event: { data: 1 } }, { event: { data: 2 } }]);
    expect(await call('?reason=unused', 'DELETE')).toEqual({ group: 'crew', groupId });
    const gone = await post('/v1/groups/crew/claim', namespace, { ...settings, groupId });
    expect(await expectProblem(gone, 'NOT_FOUND')).toMatchObject({ details: { deleted: true } });
    await expectProblem(await core.fetch('/v1/groups/crew', { method: 'DELETE', namespace }), 'NOT_FOUND');
    await expectProblem(await core.fetch('/v1/groups/crew', { method: 'PATCH', namespace, json: {} }), 'INVALID_INPUT');
    await vi.waitFor(async () => {
      const answer = await core.fetch(`/v1/events?topics=system.group.*&namespace=${namespace}`);
      const { events } = (await answer.json()) as {
        events: { event: { topic: string; data: object; source: string } }[];
      };
      expect(events.map(({ event }) => event.topic.replace('system.group.', ''))).toEqual([
        'paused',
        'updated',
        'sought',
        'resumed',
        'deleted',
      ]);
      for (const { event } of events)
        expect(event).toMatchObject({ source: '/core', data: { group: 'crew', groupId, by } });
      expect(events.at(-1)?.event.data).toMatchObject({ reason: 'unused' });
    });
  });
});
