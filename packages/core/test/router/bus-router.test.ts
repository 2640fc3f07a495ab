// The bus through tRPC on a whole core: who may say what, and what ends a stream that is open.
import {
  agentSource,
  type PublishManyResult,
  type PublishResult,
  RegisterResult,
  SwarmErrorBody,
} from '@hypercode/contracts';
import { createTRPCClient, httpSubscriptionLink, type TRPCClientError } from '@trpc/client';
import { EventSource } from 'eventsource';
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';
import type { AppRouter } from '@hypercode/server';

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

async function call<T>(path: string, input: object, token = core.adminToken): Promise<T> {
  const answer = await core.fetch(`/trpc/${path}`, { method: 'POST', token, json: input });
  const body = (await answer.json()) as { result?: { data: T }; error?: { data: { swarm: unknown } } };
  if (body.result !== undefined) return body.result.data;
  throw Object.assign(new Error(path), SwarmErrorBody.parse(body.error?.data.swarm));
}

async function joined(namespace: string, name: string, role: string): Promise<string> {
  const registration = { namespace, name, role, version: '1.0.0' };
  const { token } = RegisterResult.parse(await call('registry.register', registration));
  return token ?? '';
}

const publish = (namespace: string, topic: string, more: object = {}, token?: string) =>
  call<PublishResult>('bus.publish', { namespace, topic, data: 1, ...more }, token);

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no refusal',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'another error'),
  );

/** A subscription of tRPC's own client. */
function listen(path: 'subscribe' | 'consume', token: string, input: object) {
  const client = createTRPCClient<AppRouter>({
    links: [httpSubscriptionLink({ url: `${core.url}/trpc`, EventSource, connectionParams: { token } })],
  });
  const received: { id: string; data: { type: string; event?: { topic: string; data?: unknown } } }[] = [];
  const errors: string[] = [];
  const options = {
    onData: (value: (typeof received)[number]) => void received.push(value),
    onError: (error: TRPCClientError<AppRouter>) => void errors.push(error.data?.swarm.code ?? error.message),
  };
  const subscription =
    path === 'subscribe'
      ? client.bus.subscribe.subscribe(input as never, options as never)
      : client.bus.consume.subscribe(input as never, options as never);
  onTestFinished(() => subscription.unsubscribe());
  const topics = () => received.flatMap(({ data }) => (data.event === undefined ? [] : [data.event.topic]));
  return { received, errors, topics };
}

describe('a caller cannot speak as another agent', () => {
  test('the core says who it was, whatever the event claims', async () => {
    const namespace = core.freshNamespace();
    const eve = await joined(namespace, 'eve', 'worker');
    const viewer = listen('subscribe', core.viewerToken, { namespace, topics: ['>'], from: 'earliest' });
    await publish(
      namespace,
      'task.eve.done',
      { source: agentSource(namespace, 'ada'), namespace: undefined },
      eve,
    ).catch(() => undefined);
    await publish(namespace, 'task.eve.done', { source: agentSource(namespace, 'ada') }, eve);
    await vi.waitFor(() => expect(viewer.topics()).toContain('task.eve.done'));
    const events = viewer.received.filter(({ data }) => data.type === 'event');
    for (const { data } of events)
      expect(data.event).toMatchObject({ source: agentSource(namespace, 'eve'), namespace });
  });

  test('an id that another source has used is still free for the caller', async () => {
    const namespace = core.freshNamespace();
    const [eve, ada] = [await joined(namespace, 'eve', 'worker'), await joined(namespace, 'ada', 'worker')];
    const id = randomUUID();
    await publish(namespace, 'task.eve.done', { id }, eve);
    expect(await publish(namespace, 'task.ada.done', { id }, ada)).toMatchObject({ id, duplicate: false });
    expect(await publish(namespace, 'task.ada.done', { id }, ada)).toMatchObject({ id, duplicate: true });
  });

  test('tricks with patterns and names are denied, by the rule', async () => {
    const namespace = core.freshNamespace();
    const eve = await joined(namespace, 'eve', 'worker');
    for (const topic of ['task.ada.done', 'task.eve.assigned', 'system.circuit.opened', 'system', 'goal.submitted']) {
      expect([topic, await codeOf(publish(namespace, topic, {}, eve))]).toEqual([topic, 'ACL_DENIED']);
    }
    for (const topic of ['task.{name}.done', 'task.*.done', 'task.>', 'task.eve.', '.', ' task.eve.done']) {
      expect([topic, await codeOf(publish(namespace, topic, {}, eve))]).toEqual([topic, 'INVALID_INPUT']);
    }
    expect(await codeOf(publish(namespace, 'system.circuit.opened'))).toBe('ACL_DENIED');
    await expect(publish(namespace, 'task.eve.assigned', {}, eve)).rejects.toMatchObject({
      details: { role: 'worker', action: 'publish', topic: 'task.eve.assigned', rule: 'task.{name}.assigned' },
    });
    for (const topics of [['>'], ['task.>'], ['task.*.done'], ['agent.ada.inbox.>'], ['task.eve.>', 'goal.>']]) {
      const { errors, received } = listen('subscribe', eve, { namespace, topics });
      await vi.waitFor(() => expect([topics, errors]).toEqual([topics, ['ACL_DENIED']]));
      expect(received).toEqual([]);
    }
  });

  test('topics that an agent declares neither grant nor restrict', async () => {
    const namespace = core.freshNamespace();
    const topics = { publishes: ['goal.>'], subscribes: ['goal.>'] };
    const registration = { namespace, name: 'eve', role: 'worker', version: '1.0.0', topics };
    const { token = '' } = RegisterResult.parse(await call('registry.register', registration));
    expect(await codeOf(publish(namespace, 'goal.submitted', {}, token))).toBe('ACL_DENIED');
    const goals = listen('subscribe', token, { namespace, topics: ['goal.>'] });
    await vi.waitFor(() => expect(goals.errors).toEqual(['ACL_DENIED']));
    const own = listen('subscribe', token, { namespace, topics: ['task.eve.>'], from: 'earliest' });
    await publish(namespace, 'task.eve.done', {}, token);
    await vi.waitFor(() => expect(own.topics()).toEqual(['task.eve.done']));
  });

  test('tokens reach as far as they reach', async () => {
    const [here, elsewhere] = [core.freshNamespace(), core.freshNamespace()];
    const eve = await joined(here, 'eve', 'worker');
    expect(await codeOf(publish(elsewhere, 'task.eve.done', {}, eve))).toBe('FORBIDDEN');
    expect(await codeOf(publish(here, 'a', {}, core.viewerToken))).toBe('FORBIDDEN');
    expect(await codeOf(publish(core.namespace, 'a', {}, core.joinToken))).toBe('FORBIDDEN');
    expect(await codeOf(publish(here, 'a', {}, 'nobody'))).toBe('UNAUTHENTICATED');
    const rules = { roles: {}, default: { publish: ['>'], subscribe: ['>'] } };
    expect(await codeOf(call('policy.put', { namespace: here, policy: rules }, eve))).toBe('FORBIDDEN');
    expect(await codeOf(call('bus.ack', { namespace: here, group: 'g', deliveryIds: ['x'] }, core.viewerToken))).toBe(
      'FORBIDDEN',
    );
    const consuming = listen('consume', core.viewerToken, { namespace: here, group: 'g', topics: ['>'] });
    await vi.waitFor(() => expect(consuming.errors).toEqual(['FORBIDDEN']));
  });
});

describe('a stream that is open', () => {
  test('ends when its agent is removed', async () => {
    const namespace = core.freshNamespace();
    const eve = await joined(namespace, 'eve', 'worker');
    const streams = [
      listen('subscribe', eve, { namespace, topics: ['task.eve.>'], from: 'earliest' }),
      listen('consume', eve, { namespace, group: 'worker-g', topics: ['task.eve.>'], from: 'earliest' }),
    ];
    await publish(namespace, 'task.eve.one');
    for (const { topics } of streams) await vi.waitFor(() => expect(topics()).toEqual(['task.eve.one']));
    await call('registry.deregister', { namespace, name: 'eve' });
    await publish(namespace, 'task.eve.two');
    for (const { errors, topics } of streams) {
      await vi.waitFor(() => expect(errors).toEqual(['UNAUTHENTICATED']));
      expect(topics()).toEqual(['task.eve.one']);
    }
  });

  test('is no way around it: a claim that waits ends with its token, too', async () => {
    const namespace = core.freshNamespace();
    const eve = await joined(namespace, 'eve', 'worker');
    const settings = { namespace, group: 'worker-g', topics: ['task.eve.>'], from: 'earliest' };
    const waiting = codeOf(call('bus.claim', { ...settings, waitMs: 8000 }, eve));
    await vi.waitFor(async () => {
      const answer = await core.fetch(`/v1/groups?namespace=${namespace}`);
      expect(((await answer.json()) as { groups: object[] }).groups).toHaveLength(1);
    });
    await call('registry.deregister', { namespace, name: 'eve' });
    await publish(namespace, 'task.eve.secret');
    expect(await waiting).toBe('UNAUTHENTICATED');
  });

  test('ends when the policy no longer allows it, and goes on where it still does', async () => {
    const namespace = core.freshNamespace();
    const eve = await joined(namespace, 'eve', 'worker');
    const own = listen('subscribe', eve, { namespace, topics: ['task.eve.>'] });
    const plans = listen('subscribe', eve, { namespace, topics: ['plan.>'] });
    for (const { received } of [own, plans]) await vi.waitFor(() => expect(received.length).toBeGreaterThan(0));
    const rules = { roles: {}, default: { publish: [], subscribe: ['task.{name}.>'] } };
    await call('policy.put', { namespace, policy: rules, ifVersion: 0 });
    await vi.waitFor(() => expect(plans.errors).toEqual(['ACL_DENIED']));
    await publish(namespace, 'task.eve.one');
    await vi.waitFor(() => expect(own.topics()).toEqual(['task.eve.one']));
    expect(own.errors).toEqual([]);
  });

  test('on a group ends when the policy takes the group away, and when an agent comes with its name', async () => {
    const namespace = core.freshNamespace();
    const eve = await joined(namespace, 'eve', 'worker');
    const groups = ['eve', 'worker-a', 'worker-b'];
    const [own, later, denied] = groups.map((group) =>
      listen('consume', eve, { namespace, group, topics: ['task.eve.>'], from: 'earliest' }),
    );
    for (const stream of [own, later, denied])
      await vi.waitFor(() => expect(stream?.received).not.toHaveLength(0), 5000);
    await joined(namespace, 'worker-a', 'worker');
    await vi.waitFor(() => expect(later?.errors).toEqual(['ACL_DENIED']), 10_000);
    expect(denied?.errors).toEqual([]);
    const worker = { publish: [], subscribe: ['task.{name}.>'], consume: ['{name}'] };
    await call('policy.put', { namespace, policy: { roles: { worker }, default: worker } });
    await vi.waitFor(() => expect(denied?.errors).toEqual(['ACL_DENIED']), 5000);
    expect(own?.errors).toEqual([]);
  });
});

describe('limits', () => {
  const sized = (bytes: number) => 'x'.repeat(bytes);

  test('an event may have 256 KiB, and no more', async () => {
    const namespace = core.freshNamespace();
    const data = sized(255 * 1024);
    const { position } = await publish(namespace, 'large', { data });
    const read = await core.fetch(
      `/trpc/bus.read?${new URLSearchParams({ input: JSON.stringify({ namespace, topics: ['large'] }) }).toString()}`,
    );
    expect(await read.json()).toMatchObject({
      result: { data: { events: [{ position, event: { data } }], next: position } },
    });
    await expect(publish(namespace, 'large', { data: sized(257 * 1024) })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { limit: 256 * 1024 },
    });
  });

  test('many may be 1,000 events and 4 MiB', async () => {
    const namespace = core.freshNamespace();
    const events = Array.from({ length: 1000 }, (_, n) => ({ topic: `burst.${n % 7}`, data: n }));
    const { results } = await call<PublishManyResult>('bus.publishMany', { namespace, events });
    const positions = results.map((result) => ('position' in result ? result.position : null));
    expect(new Set(positions).size).toBe(1000);
    expect(positions).not.toContain(null);
    const tooMany = { namespace, events: [...events, { topic: 'a', data: 1 }] };
    expect(await codeOf(call('bus.publishMany', tooMany))).toBe('INVALID_INPUT');
    const tooLarge = { namespace, events: Array.from({ length: 17 }, () => ({ topic: 'a', data: sized(250 * 1024) })) };
    await expect(call('bus.publishMany', tooLarge)).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { limit: 4 * 1024 * 1024 },
    });
    const large = { namespace, events: Array.from({ length: 15 }, () => ({ topic: 'a', data: sized(250 * 1024) })) };
    expect((await call<PublishManyResult>('bus.publishMany', large)).results).toHaveLength(15);
  });

  test('thousands of topics and hundreds of patterns find each other', { timeout: 180_000 }, async () => {
    const namespace = core.freshNamespace();
    const over = new AbortController();
    onTestFinished(() => over.abort());
    const operator = { kind: 'operator', name: 'ops', id: 'ops', readOnly: false } as const;
    const received = Array.from({ length: 1000 }, () => 0);
    const attached = Promise.all(
      received.map(async (_, pattern) => {
        const topics = [`t.${pattern}.*`, `t.*.never-${pattern}`];
        const input = { namespace, topics, from: 'latest' as const, lastEventId: undefined };
        const stream = core.bus.subscribe(operator, input, over.signal);
        await stream.next();
        void (async () => {
          for await (const batch of stream) {
            for (const { type } of batch) if (type === 'event') received[pattern] = (received[pattern] ?? 0) + 1;
          }
        })();
      }),
    );
    await attached;
    for (let page = 0; page < 10; page += 1) {
      const events = Array.from({ length: 1000 }, (_, n) => ({ id: randomUUID(), topic: `t.${n}.${page}`, data: n }));
      // When the machine is busy, the embedded database may not answer in time, and each event is refused as UNAVAILABLE.
      await vi.waitFor(async () => {
        const { results } = await call<PublishManyResult>('bus.publishMany', { namespace, events });
        expect(results.filter((result) => 'error' in result)).toEqual([]);
      }, 60_000);
    }
    await vi.waitFor(() => expect(received).toEqual(received.map(() => 10)), 60_000);
  });
});
