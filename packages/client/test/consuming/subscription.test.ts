// Subscriptions over connections that break, from a small HTTP server that speaks as much of tRPC's event stream as needed.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type SubscriptionEvent, SwarmError } from '@hypercode/contracts';
import { trackLeaks, waitFor } from '@hypercode/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '@hypercode/clock';
import { type Connection, openConnection } from '../../src/transport/connection.ts';
import { listenTo, subscribeTo } from '../../src/consuming/subscription.ts';

type Handler = (response: ServerResponse, request: IncomingMessage, attempt: number) => void;

const servers: Server[] = [];
const connections: Connection[] = [];

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close(new SwarmError('UNAVAILABLE', 'the test is over'));
  await Promise.all(servers.splice(0).map((server) => end(server)));
});

const end = (server: Server): Promise<unknown> =>
  new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });

async function connectTo(handler: Handler): Promise<Connection> {
  let attempt = 0;
  const server = createServer((request, response) => {
    attempt += 1;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('event: connected\ndata: {"reconnectAfterInactivityMs":10000}\n\n\n');
    handler(response, request, attempt);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connection = openConnection({ url, token: 'secret', namespace: 'lab' }, { ...systemClock, random: () => 0 });
  connections.push(connection);
  return connection;
}

const event = (position: string, data: unknown = position): SubscriptionEvent => ({
  type: 'event',
  position,
  event: {
    id: '018f3f1e-7c4b-7cc3-98c4-dc0c0c07398f',
    topic: 'a.b',
    data: data as string,
    time: '2026-01-01T00:00:00.000Z',
    namespace: 'lab',
    source: '/agents/lab/someone',
  },
});
const bookmark = (position: string): SubscriptionEvent => ({ type: 'bookmark', position });
const frames = (...values: SubscriptionEvent[]): string =>
  values
    .map(
      (value) => `data: ${JSON.stringify(value)}\nid: ${value.type === 'gap' ? value.resumedAt : value.position}\n\n\n`,
    )
    .join('');
const refusal = (error: SwarmError): string =>
  `event: serialized-error\ndata: ${JSON.stringify({ data: { httpStatus: error.httpStatus, swarm: error } })}\n\n\n`;

async function take(stream: AsyncIterable<SubscriptionEvent>, count: number): Promise<SubscriptionEvent[]> {
  const values: SubscriptionEvent[] = [];
  for await (const value of stream) {
    values.push(value);
    if (values.length === count) break;
  }
  return values;
}

describe('a subscription', () => {
  test('asks for its topics, from where it is to begin', async () => {
    const inputs: unknown[] = [];
    const connection = await connectTo((response, { url }) => {
      const { pathname, searchParams } = new URL(url ?? '', 'http://core');
      inputs.push(pathname, JSON.parse(searchParams.get('input') ?? ''));
      response.write(frames(bookmark('0')));
    });
    await take(subscribeTo(connection, { topics: ['a.*', 'b.>'], from: { after: '7' } }), 1);
    await take(subscribeTo(connection, { topics: ['a'], namespace: 'other' }), 1);
    expect(inputs).toEqual([
      '/trpc/bus.subscribe',
      { topics: ['a.*', 'b.>'], from: { after: '7' }, namespace: 'lab' },
      '/trpc/bus.subscribe',
      { topics: ['a'], namespace: 'other' },
    ]);
  });

  test('goes on where it was, without a repeat, and reports gaps', async () => {
    const asked: unknown[] = [];
    const gap: SubscriptionEvent = { type: 'gap', after: '3', resumedAt: '8', reason: 'retention' };
    const connection = await connectTo((response, { headers }, attempt) => {
      asked.push(headers['last-event-id']);
      if (attempt === 1) response.write(frames(bookmark('0')), () => response.socket?.resetAndDestroy());
      else if (attempt === 2) response.end(frames(event('1'), event('2')));
      else if (attempt === 3) response.end(frames(event('2'), event('3')));
      else response.write(frames(gap, event('9')));
    });
    const values = await take(subscribeTo(connection, { topics: ['>'] }), 6);
    expect(values).toEqual([bookmark('0'), event('1'), event('2'), event('3'), gap, event('9')]);
    expect(asked).toEqual([undefined, '0', '2', '3']);
  });

  test('throws a refusal that no retry can help', async () => {
    const connection = await connectTo((response) => {
      response.write(frames(bookmark('0')) + refusal(new SwarmError('ACL_DENIED', 'not you')));
    });
    const stream = subscribeTo(connection, { topics: ['a'] });
    await stream.next();
    await expect(stream.next()).rejects.toMatchObject({ code: 'ACL_DENIED' });
  });

  test('closes its connection when its reader leaves, and leaves no socket or timer', async () => {
    const leaks = trackLeaks();
    const closed = Promise.withResolvers<void>();
    const connection = await connectTo((response) => {
      response.on('close', closed.resolve);
      response.write(frames(bookmark('0')));
    });
    const stream = subscribeTo(connection, { topics: ['a'] });
    await stream.next();
    const waiting = stream.next();
    await stream.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await closed.promise;
    await Promise.all(servers.splice(0).map((server) => end(server)));
    await leaks.check();
  });
});

describe('a listener', () => {
  test('hands over one event at a time, in order', async () => {
    const connection = await connectTo((response) => {
      response.write(frames(bookmark('0'), event('1'), event('2'), event('3')));
    });
    const seen: unknown[] = [];
    let running = 0;
    const listener = listenTo(connection, 'a.b', async ({ data }) => {
      running += 1;
      expect(running).toBe(1);
      await new Promise(setImmediate);
      running -= 1;
      seen.push(data);
    });
    await waitFor(() => seen.length === 3, { what: 'three events' });
    expect(seen).toEqual(['1', '2', '3']);
    listener.stop();
    await listener.closed;
  });

  test('goes on after a handler that throws, and reports gaps', async () => {
    const gap: SubscriptionEvent = { type: 'gap', after: '1', resumedAt: '2', reason: 'log_lost' };
    const connection = await connectTo((response) => void response.write(frames(event('1'), gap, event('3'))));
    const received: unknown[] = [];
    const handler = ({ data }: { data: unknown }): void => {
      if (data === '1') throw new Error('no');
      received.push(data);
    };
    const listener = listenTo(connection, ['a.b'], handler, {
      onGap: ({ reason }) => received.push(reason),
      onError: (error, { data }) => received.push([(error as Error).message, data]),
    });
    await waitFor(() => received.length === 3, { what: 'what it is received' });
    expect(received).toEqual([['no', '1'], 'log_lost', '3']);
    listener.stop();
  });

  test('hands over nothing once it is stopped, also by its own handler', async () => {
    const connection = await connectTo((response) => void response.write(frames(event('1'), event('2'))));
    const seen: unknown[] = [];
    const listener = listenTo(connection, 'a.b', ({ data }) => {
      seen.push(data);
      listener.stop();
    });
    await listener.closed;
    expect(seen).toEqual(['1']);
  });

  test('reports that it has attached, before there is an event', async () => {
    let answer = (): void => {};
    const connection = await connectTo((response) => (answer = () => void response.write(frames(bookmark('0')))));
    const listener = listenTo(connection, 'a.b', () => {});
    let isAttached = false;
    const attached = listener.attached.then(() => (isAttached = true));
    await waitFor(() => (answer(), isAttached), { what: 'the attachment' });
    await attached;
    listener.stop();

    const early = listenTo(connection, 'a.b', () => {});
    early.stop();
    await expect(early.attached).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('reports why it has ended', async () => {
    const connection = await connectTo((response) => void response.write(refusal(new SwarmError('FORBIDDEN', 'no'))));
    const { attached, closed } = listenTo(connection, 'a', () => {});
    await expect(closed).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(attached).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});
