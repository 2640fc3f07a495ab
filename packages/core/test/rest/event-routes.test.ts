// The events' REST routes on a whole core: publish one and many, read, follow, and how each refuses.
import {
  ERROR_CODES,
  LIMITS,
  PublishManyResult,
  PublishResult,
  FindResult,
  ReadResult,
  RegisterResult,
  SubscriptionEvent,
} from '@hypercode/contracts';
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { expectProblem, sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';
import { type Frame, framesOf } from '../frames.ts';

let core: TestCore;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

const post = (namespace: string, json: unknown, token?: string) =>
  core.fetch(`/v1/events?namespace=${namespace}`, { method: 'POST', json, ...(token === undefined ? {} : { token }) });

async function publish(namespace: string, json: object, token?: string): Promise<PublishResult> {
  const answer = await post(namespace, json, token);
  expect(answer.status).toBe(200);
  return PublishResult.parse(await answer.json());
}

async function publishAll(namespace: string, json: unknown[]): Promise<PublishManyResult['results']> {
  const answer = await post(namespace, json);
  expect(answer.status).toBe(200);
  return PublishManyResult.parse(await answer.json()).results;
}

async function read(namespace: string, query = 'topics=%3E'): Promise<ReadResult> {
  const answer = await core.fetch(`/v1/events?namespace=${namespace}&${query}`, { token: core.viewerToken });
  expect(answer.status).toBe(200);
  return ReadResult.parse(await answer.json());
}

async function agentToken(namespace: string, name: string): Promise<string> {
  const json = { name, role: 'worker', version: '1.0.0' };
  const answer = await core.fetch('/v1/agents', { namespace, method: 'POST', json });
  return RegisterResult.parse(await answer.json()).token ?? '';
}

async function refusals(code: string): Promise<number> {
  const text = await (await core.fetch('/metrics', { token: null })).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`swarm_refusals_total{code="${code}"}`));
  return Number(line?.split(' ')[1]);
}

describe('POST /v1/events with JSON', () => {
  it('publishes an event once, in the name of its token', async () => {
    const namespace = core.freshNamespace();
    const token = await agentToken(namespace, 'speaker');
    const id = randomUUID();
    const event = {
      id: id.toUpperCase(),
      topic: 'task.speaker.progress',
      data: { ünï: [1, null, '🦊'] },
      time: '2026-01-02T03:04:05+09:00',
      subject: 'a subject',
      correlationId: 'b',
      causationId: 'c',
      traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    };
    const first = await publish(namespace, { ...event, source: '/forged' }, token);
    expect(first).toEqual({ id, position: expect.any(String), duplicate: false });
    expect(await publish(namespace, event, token)).toEqual({ ...first, duplicate: true });
    const { events } = await read(namespace);
    expect(events).toEqual([
      {
        position: first.position,
        appendedAt: expect.any(String),
        event: { ...event, id, namespace, source: `/agents/${namespace}/speaker` },
      },
    ]);
  });

  it('makes id and time where there are none', async () => {
    const namespace = core.freshNamespace();
    const { id } = await publish(namespace, { topic: 'a', data: null });
    const [found] = (await read(namespace)).events;
    expect(found?.event).toMatchObject({ id, data: null, source: '/operators/admin' });
    expect(Math.abs(Date.parse(found?.event.time ?? '') - Date.now())).toBeLessThan(60_000);
  });

  it('takes the namespace from the query or from the body, and no contradiction', async () => {
    const namespace = core.freshNamespace();
    const json = { topic: 'a', data: 1, namespace };
    expect((await core.fetch('/v1/events', { namespace: null, method: 'POST', json })).status).toBe(200);
    expect((await post(namespace, json)).status).toBe(200);
    expect((await read(namespace)).events).toHaveLength(2);
    const problem = await expectProblem(await post('elsewhere', json), 'INVALID_INPUT');
    expect(problem.details).toMatchObject([{ path: 'namespace' }]);
  });

  it('publishes many in their order, and one refusal spares the others', async () => {
    const namespace = core.freshNamespace();
    const before = await refusals('INVALID_INPUT');
    const [first, bad, last, again] = await publishAll(namespace, [
      { topic: 'a', data: 1, id: '11111111-1111-4111-8111-111111111111' },
      { topic: 'a.*', data: 2, id: 'two' },
      { topic: 'b', data: 3 },
      { topic: 'a', data: 1, id: '11111111-1111-4111-8111-111111111111' },
    ]);
    expect(first).toMatchObject({ duplicate: false });
    expect(bad).toMatchObject({ id: 'two', error: { code: 'INVALID_INPUT', retryable: false } });
    expect(last).toMatchObject({ duplicate: false });
    expect(again).toEqual({ ...first, duplicate: true });
    expect((await read(namespace)).events.map(({ event }) => event.data)).toEqual([1, 3]);
    expect(await refusals('INVALID_INPUT')).toBe(before + 1);
    expect(await publishAll(namespace, [])).toEqual([]);
  });

  it('takes as many as the limits allow, and no more', async () => {
    const namespace = core.freshNamespace();
    const most = Array.from({ length: LIMITS.publishManyEvents }, (_, index) => ({ topic: 'a', data: index }));
    expect(await publishAll(namespace, most)).toHaveLength(most.length);
    const problem = await expectProblem(await post(namespace, [...most, { topic: 'a', data: 0 }]), 'INVALID_INPUT');
    expect(problem.detail).toContain('1000');

    const room = LIMITS.eventBytes - JSON.stringify({ topic: 'a', data: '' }).length;
    const tooLong = await expectProblem(
      await post(namespace, { topic: 'a', data: 'x'.repeat(room + 1) }),
      'PAYLOAD_TOO_LARGE',
    );
    expect(tooLong.details).toEqual({ limit: 262_144 });
    // What the core adds to an event does not count.
    await publish(namespace, { topic: 'a', data: 'x'.repeat(room) });
    const [large, small] = await publishAll(namespace, [
      { topic: 'a', data: 'x'.repeat(room + 1) },
      { topic: 'a', data: '' },
    ]);
    expect(large).toMatchObject({ error: { code: 'PAYLOAD_TOO_LARGE', details: { limit: 262_144 } } });
    expect(small).toMatchObject({ duplicate: false });
    for (const bytes of [LIMITS.publishManyBytes + 1, 6 * 1024 * 1024]) {
      const answer = await post(namespace, ['x'.repeat(bytes - 4)]);
      expect((await expectProblem(answer, 'PAYLOAD_TOO_LARGE')).details).toEqual({ limit: 4_194_304 });
    }
  });

  it.each([
    ['application/json', '{"topic":', ''],
    ['application/json', '', ''],
    ['application/json', ' [', ''],
    ['application/json', '"a"', ''],
    ['application/json', 'null', ''],
    ['application/json', '{"topic":"a"}', 'data'],
    ['application/json', '{"topic":"a b","data":1}', 'topic'],
    ['application/json', '{"topic":"a","data":1,"id":"1"}', 'id'],
    ['application/json', '{"topic":"a","data":1,"time":"now"}', 'time'],
    ['application/json', '{"topic":"a","data":"\\u0000"}', 'data'],
    ['application/json', `{"topic":"a","data":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 'data'],
    ['text/plain', '{"topic":"a","data":1}', ''],
    ['application/merge-patch+json', '{"topic":"a","data":1}', ''],
    ['application/octet-stream', 'a', ''],
  ])('refuses %s %.40s', async (mediaType, body, path) => {
    const headers = { 'content-type': mediaType };
    const answer = await core.fetch('/v1/events', { method: 'POST', body, headers });
    const problem = await expectProblem(answer, 'INVALID_INPUT');
    expect(problem.details).toContainEqual({ path, reason: expect.any(String) });
  });

  it('is for those who may', async () => {
    const namespace = core.freshNamespace();
    const token = await agentToken(namespace, 'bound');
    const event = (topic: string) => ({ topic, data: 1 });
    const denied = await expectProblem(await post(namespace, event('task.other.progress'), token), 'ACL_DENIED');
    expect(denied.details).toEqual({ role: 'worker', action: 'publish', topic: 'task.other.progress', rule: null });
    await expectProblem(await post(namespace, event('system.a')), 'ACL_DENIED');
    await expectProblem(await post('elsewhere', event('task.bound.progress'), token), 'FORBIDDEN');
    for (const held of [core.viewerToken, core.joinToken]) {
      await expectProblem(await post(core.namespace, event('a'), held), 'FORBIDDEN');
    }
    await expectProblem(await post(core.namespace, [event('a')], core.joinToken), 'FORBIDDEN');
    const many = PublishManyResult.parse(
      await (await post(namespace, [event('goal.a'), event('task.bound.progress')], token)).json(),
    );
    expect(many.results).toMatchObject([{ error: { code: 'ACL_DENIED' } }, { duplicate: false }]);
  });
});

describe('GET /v1/events/{id}', () => {
  const find = (namespace: string, id: string, query = '') =>
    core.fetch(`/v1/events/${id}?namespace=${namespace}${query}`, { token: core.viewerToken });

  it('finds the events with an id, newest first, or that of one source', async () => {
    const namespace = core.freshNamespace();
    const token = await agentToken(namespace, 'speaker');
    const id = randomUUID();
    const first = await publish(namespace, { id, topic: 'task.speaker.progress', data: 1 }, token);
    const second = await publish(namespace, { id, topic: 'a', data: 2 });
    const found = FindResult.parse(await (await find(namespace, id.toUpperCase())).json());
    expect(found).toMatchObject({
      events: [
        { position: second.position, event: { id, data: 2 } },
        { position: first.position, event: { id, data: 1 } },
      ],
      complete: true,
    });
    expect(found.events).toEqual((await read(namespace, 'order=newest')).events);
    const own = await (await find(namespace, id, `&source=/agents/${namespace}/speaker`)).json();
    expect(own).toEqual({ events: [found.events[1]], complete: true });
    const asCloudEvents = await (await find(namespace, id, '&format=cloudevents&source=/operators/admin')).json();
    expect(asCloudEvents).toMatchObject({ events: [{ event: { specversion: '1.0', type: 'a', id } }] });
  });

  it('leaves out what the caller may not read, and refuses what is no id', async () => {
    const namespace = core.freshNamespace();
    const token = await agentToken(namespace, 'speaker');
    const { id } = await publish(namespace, { topic: 'agent.other.inbox.x', data: 1 });
    const hidden = await core.fetch(`/v1/events/${id}?namespace=${namespace}`, { token });
    expect((await expectProblem(hidden, 'NOT_FOUND')).details).toEqual({ complete: true });
    expect((await find(namespace, id)).status).toBe(200);
    expect((await expectProblem(await find(namespace, 'yesterday'), 'INVALID_INPUT')).details).toMatchObject([
      { path: 'id' },
    ]);
  });
});

describe('GET /v1/events', () => {
  it('reads in pages, and only what is asked for', async () => {
    const namespace = core.freshNamespace();
    await publishAll(
      namespace,
      ['a.b', 'c', 'a.c', 'd.e.f', 'a.d'].map((topic, data) => ({ topic, data })),
    );
    const dataOf = ({ events }: ReadResult) => events.map(({ event }) => event.data);
    const first = await read(namespace, 'topics=a.*&topics=d.%3E&limit=2');
    expect(dataOf(first)).toEqual([0, 2]);
    const second = await read(namespace, `topics=a.*&topics=d.%3E&limit=2&after=${first.next}`);
    expect(dataOf(second)).toEqual([3, 4]);
    const end = await read(namespace, `topics=a.*&after=${second.next}`);
    expect(end).toEqual({ events: [], next: second.next, end: true });
    const event = second.events.at(-1);
    expect(await read(namespace, `topics=a.*&at=${event?.position}`)).toEqual({
      events: [event],
      next: event?.position,
      end: true,
    });
  });

  it('reads everything without topics, newest first, by source, correlation, causation and time', async () => {
    const namespace = core.freshNamespace();
    const token = await agentToken(namespace, 'speaker');
    await publish(namespace, { topic: 'task.speaker.progress', data: 0, correlationId: 'a "b"' }, token);
    await publishAll(namespace, [
      { topic: 'a', data: 1, correlationId: 'a "b"' },
      { topic: 'b', data: 2, causationId: 'é&🐝' },
    ]);
    const dataOf = async (query: string) => (await read(namespace, query)).events.map(({ event }) => event.data);
    expect(await dataOf('')).toEqual([0, 1, 2]);
    expect(await dataOf('order=newest')).toEqual([2, 1, 0]);
    expect(await dataOf(`source=/agents/${namespace}/speaker`)).toEqual([0]);
    expect(await dataOf(`correlationId=${encodeURIComponent('a "b"')}&order=newest`)).toEqual([1, 0]);
    expect(await dataOf(`causationId=${encodeURIComponent('é&🐝')}`)).toEqual([2]);
    expect(await dataOf('causationId=%C3%A9')).toEqual([]);
    const page = await read(namespace, 'order=newest&limit=2');
    expect(await dataOf(`order=newest&before=${page.next}`)).toEqual([0]);
    const [newest] = page.events;
    expect(await dataOf(`since=${newest?.appendedAt}&topics=b`)).toEqual([2]);
    expect(await dataOf(`until=${newest?.appendedAt}&topics=b`)).toEqual([]);
    expect(Math.abs(Date.parse(newest?.appendedAt ?? '') - Date.now())).toBeLessThan(60_000);
    const asBody = await core.fetch('/v1/events/query', {
      namespace,
      method: 'POST',
      json: { order: 'newest', limit: 2 },
    });
    expect(await asBody.json()).toEqual(page);
  });

  it.each([
    ['order=sideways', 'order'],
    ['since=yesterday', 'since'],
    ['until=1', 'until'],
    ['source=', 'source'],
    ['before=yesterday', 'before'],
    ['topics=', 'topics.0'],
    ['topics=a.b*', 'topics.0'],
    ['topics=a&topics=b%20c', 'topics.1'],
    ['topics=a&limit=0', 'limit'],
    ['topics=a&limit=501', 'limit'],
    ['topics=a&after=yesterday', 'after'],
    ['topics=a&namespace=A', 'namespace'],
  ])('refuses ?%s', async (query, path) => {
    const problem = await expectProblem(await core.fetch(`/v1/events?${query}`), 'INVALID_INPUT');
    expect(problem.details).toContainEqual({ path, reason: expect.any(String) });
  });

  it('a stream reports a gap, and refuses topics that the caller may not read', async () => {
    await expectProblem(await core.fetch('/v1/events?topics=a&after=elsewhere-1-1'), 'COMPACTED');
    const namespace = core.freshNamespace();
    const token = await agentToken(namespace, 'curious');
    const denied = await core.fetch(`/v1/events?namespace=${namespace}&topics=goal.%3E`, { token });
    expect((await expectProblem(denied, 'ACL_DENIED')).details).toMatchObject({ action: 'subscribe', topic: 'goal.>' });
    await expectProblem(await core.fetch('/v1/events?topics=plan.a', { token }), 'FORBIDDEN');
    await expectProblem(await core.fetch('/v1/events?topics=a', { token: core.joinToken }), 'FORBIDDEN');
  });
});

describe('GET /v1/events/stream', () => {
  /** Opens a stream; it is cancelled when the test ends. */
  async function follow(query: string, headers: Record<string, string> = {}, token = core.viewerToken) {
    const gone = new AbortController();
    onTestFinished(() => gone.abort());
    const answer = await core.fetch(`/v1/events/stream?${query}`, { token, headers, signal: gone.signal });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const frames = framesOf(answer);
    const next = async () => {
      const { value } = await frames.next();
      if (value === undefined) throw new Error('the stream has ended');
      const data = SubscriptionEvent.parse(value.data);
      expect(value.event).toBe(data.type);
      return { ...value, data };
    };
    /** The next value that is no bookmark. */
    const nextChange = async (): Promise<Awaited<ReturnType<typeof next>>> => {
      const frame = await next();
      return frame.data.type === 'bookmark' ? nextChange() : frame;
    };
    return { frames, next, nextChange, close: () => gone.abort() };
  }

  it('begins with a bookmark, and goes on with what is published from then on', async () => {
    const namespace = core.freshNamespace();
    const before = await publish(namespace, { topic: 'a.b', data: 'before' });
    const stream = await follow(`namespace=${namespace}&topics=a.*&topics=b.%3E`);
    const begin = { type: 'bookmark', position: before.position };
    expect(await stream.next()).toEqual({ event: 'bookmark', id: before.position, data: begin });
    await publish(namespace, { topic: 'c', data: 'unheard' });
    const { id, position } = await publish(namespace, { topic: 'b.c.d', data: 'received' });
    expect(await stream.nextChange()).toMatchObject({
      event: 'event',
      id: position,
      data: { position, event: { id, topic: 'b.c.d', data: 'received', namespace, source: '/operators/admin' } },
    });
  });

  it('begins where `from` names, and Last-Event-ID beats that', async () => {
    const namespace = core.freshNamespace();
    const [first, second] = await publishAll(
      namespace,
      [1, 2, 3].map((data) => ({ topic: 'a', data })),
    );
    const positionOf = (result: PublishManyResult['results'][number] | undefined) =>
      result !== undefined && 'position' in result ? result.position : '';
    const dataFrom = async (from: string, headers = {}) => {
      const stream = await follow(`namespace=${namespace}&topics=a&from=${from}`, headers);
      const { data } = await stream.nextChange();
      stream.close();
      return data.type === 'event' ? data.event.data : data;
    };
    expect(await dataFrom('earliest')).toBe(1);
    expect(await dataFrom(positionOf(first))).toBe(2);
    expect(await dataFrom('latest', { 'last-event-id': positionOf(second) })).toBe(3);
    expect(await dataFrom('elsewhere-1-1')).toMatchObject({ type: 'gap', reason: 'log_lost' });
  });

  it.each([
    ['', {}, 'topics'],
    ['topics=a..b', {}, 'topics.0'],
    ['topics=a,b', {}, 'topics.0'],
    ['topics=a&from=yesterday', {}, 'from.after'],
    ['topics=a&from=latest&from=earliest', {}, 'from'],
    ['topics=a&namespace=A', {}, 'namespace'],
    ['topics=a', { 'last-event-id': 'bogus' }, 'lastEventId'],
    ['topics=a', { 'last-event-id': 'x'.repeat(513) }, 'lastEventId'],
  ])('answers ?%s with %j like any other call', async (query, headers: Record<string, string>, path) => {
    const problem = await expectProblem(await core.fetch(`/v1/events/stream?${query}`, { headers }), 'INVALID_INPUT');
    expect(problem.details).toContainEqual({ path, reason: expect.any(String) });
  });

  it('is refused before it opens', async () => {
    const namespace = core.freshNamespace();
    const token = await agentToken(namespace, 'listener');
    const path = `/v1/events/stream?namespace=${namespace}&topics=`;
    await expectProblem(await core.fetch(`${path}goal.%3E`, { token }), 'ACL_DENIED');
    await expectProblem(await core.fetch(`${path}a`, { token: core.joinToken }), 'FORBIDDEN');
    await expectProblem(await core.fetch(`${path}a`, { token: 'nonsense' }), 'UNAUTHENTICATED');
    // A stream has no HEAD: it is an event by an id that is none.
    expect((await core.fetch(`${path}a`, { method: 'HEAD' })).status).toBe(ERROR_CODES.INVALID_INPUT.http);
  });

  it('ends with the refusal when the policy takes it away', async () => {
    const namespace = core.freshNamespace();
    const token = await agentToken(namespace, 'listener');
    const stream = await follow(`namespace=${namespace}&topics=plan.%3E`, {}, token);
    await stream.next();
    const policy = { roles: {}, default: { publish: [], subscribe: [] } };
    const put = await core.fetch(`/v1/policy?namespace=${namespace}`, { method: 'PUT', json: { policy } });
    expect(put.status).toBe(200);
    let last: Frame | undefined;
    for await (const frame of stream.frames) last = frame;
    expect(last).toMatchObject({ event: 'error', data: { code: 'ACL_DENIED', retryable: false } });
  });

  it('is counted while it is open', async () => {
    const open = async () => {
      const text = await (await core.fetch('/metrics', { token: null })).text();
      return /^swarm_streams\{stream="subscribe",transport="sse_rest"\} (\d+)$/m.exec(text)?.[1];
    };
    await vi.waitFor(async () => expect(await open()).toBe('0'), 5000);
    const stream = await follow('topics=a');
    await stream.next();
    expect(await open()).toBe('1');
    stream.close();
    await vi.waitFor(async () => expect(await open()).toBe('0'), 5000);
  });
});
