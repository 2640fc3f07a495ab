// Streams over WebSocket, through tRPC's own client.
import { type GroupEvent, RegisterResult, type SubscriptionEvent, type WatchEvent } from '@hypercode/contracts';
import { createTRPCClient, createWSClient, type TRPCClientError, wsLink } from '@trpc/client';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import type { AppRouter } from '@hypercode/server';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../testing/core.ts';

const ADMIN = { name: 'test' };
let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

/** A socket that is closed when the test ends, however it ends. */
function open(url: string, options: ClientOptions = {}): WebSocket {
  const socket = new WebSocket(url, options);
  onTestFinished(() => {
    // A socket that was refused is an error when it is closed.
    socket.on('error', () => {});
    socket.terminate();
  });
  return socket;
}

const address = () => `${core.url.replace('http', 'ws')}/trpc`;
const asViewer = (): ClientOptions => ({ headers: { authorization: `Bearer ${core.viewerToken}` } });

function connectClient(token: string) {
  const socket = createWSClient({ url: address(), WebSocket: WebSocket as never, connectionParams: { token } });
  const client = createTRPCClient<AppRouter>({ links: [wsLink({ client: socket })] });
  const received: { id: string; data: WatchEvent }[] = [];
  const errors: TRPCClientError<AppRouter>[] = [];
  const watch = (input: Parameters<typeof client.registry.watch.subscribe>[0]) =>
    client.registry.watch.subscribe(input, {
      onData: (value) => {
        if (value.data.type !== 'bookmark') received.push(value);
      },
      onError: (error) => errors.push(error),
    });
  return { client, socket, received, errors, watch };
}

const register = (namespace: string, name: string) =>
  core.fetch('/v1/agents', { namespace, method: 'POST', json: { name, role: 'coder', version: '1.0.0' } });

describe('a watch over WebSocket', () => {
  test('receives the snapshot and every change with its tracked id, and resumes from one', async () => {
    const namespace = core.freshNamespace();
    const { received, watch, socket } = connectClient(core.viewerToken);
    await register(namespace, 'first');
    const subscription = watch({ namespace });
    await vi.waitFor(() => expect(received.map(({ data }) => data.type)).toEqual(['snapshot', 'synced']));
    await register(namespace, 'second');
    await register(namespace, 'third');
    await vi.waitFor(() => expect(received.map(({ id }) => id)).toEqual(['snapshot', '1', '2', '3']));
    subscription.unsubscribe();
    await vi.waitFor(() => expect(core.registry.watches.size).toBe(0));

    received.length = 0;
    const resumed = watch({ namespace, lastEventId: '2' });
    await vi.waitFor(() =>
      expect(received.map(({ data }) => `${data.type} ${data.revision}`)).toEqual(['change 3', 'synced 3']),
    );
    resumed.unsubscribe();
    await socket.close();
  });

  test('is refused without a token that counts', async () => {
    const { errors, watch, socket } = connectClient('nothing that counts');
    watch({ namespace: core.namespace });
    await vi.waitFor(() => expect(errors[0]?.data?.swarm.code).toBe('UNAUTHENTICATED'));
    await socket.close();
  });

  test('ends with the refusal when its token is revoked', async () => {
    const namespace = core.freshNamespace();
    const { id, token } = await core.registry.tokens.create({ namespace, kind: 'viewer', name: 'soon gone' }, ADMIN);
    const { received, errors, watch, socket } = connectClient(token);
    watch({ namespace });
    await vi.waitFor(() => expect(received.some(({ data }) => data.type === 'synced')).toBe(true));
    await core.registry.tokens.revoke(namespace, id, ADMIN);
    await vi.waitFor(() => expect(errors[0]?.data?.swarm.code).toBe('UNAUTHENTICATED'));
    await socket.close();
    await vi.waitFor(() => expect(core.registry.watches.size).toBe(0));
  });

  test('takes no further call once its token is revoked', async () => {
    const namespace = core.freshNamespace();
    const { id, token } = await core.registry.tokens.create({ namespace, kind: 'viewer', name: 'soon gone' }, ADMIN);
    const { client, socket } = connectClient(token);
    await client.registry.query.query({ namespace });
    await core.registry.tokens.revoke(namespace, id, ADMIN);
    await expect(client.registry.query.query({ namespace })).rejects.toMatchObject({
      data: { swarm: { code: 'UNAUTHENTICATED' } },
    });
    await socket.close();
  });

  test('queries and mutations go the same way', async () => {
    const { namespace } = core;
    const { client, socket } = connectClient(core.viewerToken);
    await register(namespace, 'only');
    expect((await client.registry.query.query({ namespace })).agents.map(({ name }) => name)).toEqual(['only']);
    await expect(
      client.registry.register.mutate({ namespace, name: 'x', role: 'coder', version: '1.0.0' }),
    ).rejects.toMatchObject({ data: { swarm: { code: 'FORBIDDEN' } } });
    await socket.close();
  });
});

describe('the bus over WebSocket', () => {
  test('a subscription receives events with their positions, and resumes behind one', async () => {
    const { client, socket } = connectClient(core.adminToken);
    const namespace = core.freshNamespace();
    const received: { id: string; data: SubscriptionEvent }[] = [];
    const listen = (lastEventId?: string) =>
      client.bus.subscribe.subscribe(
        { namespace, topics: ['a.*'], from: 'earliest', lastEventId },
        {
          // The first says where it begins; the others come while nothing else does.
          onData: (value) => {
            if (value.data.type !== 'bookmark' || received.length === 0) received.push(value);
          },
        },
      );
    const subscription = listen();
    await vi.waitFor(() => expect(received.map(({ data }) => data.type)).toEqual(['bookmark']));
    const { results } = await client.bus.publishMany.mutate({
      namespace,
      events: [1, 2, 3].map((data) => ({ topic: data === 2 ? 'b.x' : 'a.x', data })),
    });
    const [first, , third] = results.map((result) => ('position' in result ? result.position : ''));
    await vi.waitFor(() => expect(received.map(({ id }) => id).slice(1)).toEqual([first, third]));
    subscription.unsubscribe();
    received.length = 0;
    const resumed = listen(first);
    await vi.waitFor(() => expect(received).toHaveLength(2));
    expect(received).toMatchObject([
      { id: first, data: { type: 'bookmark', position: first } },
      { id: third, data: { type: 'event', position: third, event: { topic: 'a.x', data: 3 } } },
    ]);
    resumed.unsubscribe();
    await socket.close();
  });

  test('a member of a group gets deliveries, whatever id it was at, 16 at a time', async () => {
    const { client, socket } = connectClient(core.adminToken);
    const namespace = core.freshNamespace();
    await client.bus.publishMany.mutate({
      namespace,
      events: Array.from({ length: 20 }, (_, data) => ({ topic: 'work.new', data })),
    });
    const received: { id: string; data: GroupEvent }[] = [];
    const joined: GroupEvent[] = [];
    const subscription = client.bus.consume.subscribe(
      { namespace, group: 'crew', topics: ['work.*'], from: 'earliest', lastEventId: 'not-a-delivery' },
      {
        onData: (value) => {
          if (value.data.type === 'joined') joined.push(value.data);
          else if (value.data.type !== 'bookmark') received.push(value);
        },
      },
    );
    await vi.waitFor(() => expect(received).toHaveLength(16));
    expect(joined).toMatchObject([{ settings: { version: 1, topics: ['work.*'], ackDeadlineMs: 30_000 } }]);
    expect(received[0]).toMatchObject({ data: { type: 'delivery', attempt: 1, event: { data: 0 } } });
    const deliveryIds = received.map(({ id, data }) => (data.type === 'delivery' ? data.deliveryId : id));
    expect(received.map(({ id }) => id)).toEqual(deliveryIds);
    expect(await client.bus.ack.mutate({ namespace, group: 'crew', deliveryIds })).toEqual({ settled: 16 });
    await vi.waitFor(() => expect(received).toHaveLength(20));
    const [group] = (await client.bus.groups.query({ namespace })).groups;
    expect(group).toMatchObject({ ackDeadlineMs: 30_000, maxDeliveries: 5, inFlight: 4 });
    subscription.unsubscribe();
    await socket.close();
  });
});

test('a group of another agent refuses a member over WebSocket, and its own takes it', async () => {
  const namespace = core.freshNamespace();
  await register(namespace, 'victim');
  const { token } = RegisterResult.parse(await (await register(namespace, 'thief')).json());
  const { client, socket } = connectClient(token ?? '');
  const codeOf = async (group: string) => {
    const over = Promise.withResolvers<string>();
    const subscription = client.bus.consume.subscribe(
      { namespace, group, topics: ['plan.*'] },
      {
        onData: ({ data }) => over.resolve(data.type),
        onError: (error) => over.resolve(error.data?.swarm.code ?? error.message),
      },
    );
    const code = await over.promise;
    subscription.unsubscribe();
    return code;
  };
  expect(await codeOf('victim')).toBe('ACL_DENIED');
  expect(await codeOf('thief')).toBe('joined');
  await socket.close();
});

describe('the socket', () => {
  test('is only there at /trpc', async () => {
    const elsewhere = open(`${core.url.replace('http', 'ws')}/elsewhere`);
    const [error] = (await once(elsewhere, 'error')) as [Error];
    expect(error.message).toMatch(/404|ECONNRESET|hang up/);
  });

  test.each([
    ['no JSON', 'hello'],
    ['a message of another kind', JSON.stringify({ id: 1, method: 'nothing', params: {} })],
    ['deep nesting', '['.repeat(100_000)],
  ])('survives %s', async (_case, message) => {
    const socket = open(address(), asViewer());
    await once(socket, 'open');
    socket.send(message);
    socket.send(JSON.stringify({ id: 2, method: 'query', params: { path: 'registry.query', input: {} } }));
    await Promise.race([once(socket, 'message'), once(socket, 'close')]);
    socket.terminate();
    expect((await core.fetch('/healthz')).status).toBe(200);
  });

  test.each(['[', 'a b', 'a:b:c', 'a:99999'])('is not there for a host that is none: "%s"', async (host) => {
    const socket = open(address(), { headers: { host } });
    const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(answer.statusCode).toBe(400);
    expect((await core.fetch('/healthz')).status).toBe(200);
  });

  test('refuses each call of a message that holds too many, and goes on', { timeout: 120_000 }, async () => {
    const socket = open(address(), asViewer());
    await once(socket, 'open');
    const answers: { id: number; error?: object; result?: object }[] = [];
    socket.on('message', (text: Buffer) => answers.push(JSON.parse(text.toString('utf8'))));
    const calls = (count: number) =>
      Array.from({ length: count }, (_, id) => ({
        id,
        method: 'query',
        params: { path: 'registry.query', input: { namespace: core.namespace } },
      }));
    socket.send(JSON.stringify(calls(501)));
    await vi.waitFor(() => expect(answers).toHaveLength(501), 60_000);
    const swarm = { code: 'INVALID_INPUT', retryable: false, message: 'Batch call exceeds maximum size' };
    expect(answers[500]).toMatchObject({ id: 500, error: { data: { httpStatus: 400, swarm } } });
    expect(answers.filter(({ error }) => error === undefined)).toEqual([]);

    answers.length = 0;
    socket.send(JSON.stringify(calls(500)));
    await vi.waitFor(() => expect(answers).toHaveLength(500), 60_000);
    expect(answers.filter(({ error }) => error !== undefined)).toEqual([]);
  });

  test('a message that is too large ends the connection and nothing else', async () => {
    const socket = open(address(), asViewer());
    await once(socket, 'open');
    socket.on('error', () => undefined);
    socket.send('x'.repeat(6 * 1024 * 1024));
    const [code] = (await once(socket, 'close')) as [number];
    expect([1006, 1009]).toContain(code);
    expect((await core.fetch('/healthz')).status).toBe(200);
  });
});
