// A catalogue at run time: bad data is neither sent nor handed over.
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { defineEvents, type GroupEvent, type SubscriptionEvent, type SwarmEvent } from '@hypercode/contracts';
import { waitFor } from '@hypercode/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createSwarmClient, type SwarmClient, type SwarmError } from '../../src/index.ts';

const catalogue = defineEvents({
  'build.finished': z.object({ ok: z.boolean(), tookMs: z.number().default(0) }),
  'task.*.assigned': z.object({ at: z.iso.datetime().transform((text) => new Date(text)) }),
});

const servers: Server[] = [];
const clients: SwarmClient[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all(
    servers.splice(0).map(
      (server) =>
        new Promise((resolve) => {
          server.close(resolve);
          server.closeAllConnections();
        }),
    ),
  );
});

const event = (position: number, topic: string, data: SwarmEvent['data']) => ({
  position: String(position),
  event: { id: `id-${position}`, topic, data, time: '2026-01-01T00:00:00Z', namespace: 'default', source: '/core' },
});
const ARRIVING = [
  event(1, 'build.finished', { ok: true }),
  event(2, 'build.finished', { ok: 'perhaps' }),
  event(3, 'build.started', {}),
  event(4, 'task.qa-1.assigned', { at: '2026-02-03T04:05:06.000Z' }),
];

/** A client of a server that streams these events, and keeps a record of what it receives. */
async function clientOf() {
  const published: { id: string }[] = [];
  const posted: { path: string; body: Record<string, unknown> }[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://core');
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const values: (SubscriptionEvent | GroupEvent)[] = ARRIVING.map((arriving) =>
        pathname === '/trpc/bus.consume'
          ? {
              type: 'delivery',
              deliveryId: arriving.position,
              attempt: 1,
              dueAt: '2030-01-01T00:00:00.000Z',
              ...arriving,
            }
          : { type: 'event', ...arriving },
      );
      response.write(`data: ${JSON.stringify({ type: 'bookmark', position: '0' })}\nid: 0\n\n\n`);
      for (const [index, value] of values.entries()) {
        response.write(`data: ${JSON.stringify(value)}\nid: ${index + 1}\n\n\n`);
      }
      return;
    }
    let text = '';
    request.on('data', (chunk) => (text += String(chunk)));
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      if (pathname === '/v1/events') {
        const events = JSON.parse(text) as { id: string }[];
        published.push(...events);
        const results = events.map(({ id }) => ({ id, position: '1', duplicate: false }));
        response.end(JSON.stringify({ results }));
        return;
      }
      posted.push({ path: pathname, body: JSON.parse(text) as Record<string, unknown> });
      response.end(JSON.stringify({ result: { data: { settled: 1 } } }));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = createSwarmClient({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: 'secret',
  });
  clients.push(client);
  return { events: client.events(catalogue), published, posted };
}

const invalid = (invalidEvents: unknown[]) => (one: SwarmEvent, error: SwarmError) => {
  invalidEvents.push([one.topic, error.code, error.message]);
};
const INVALID = [
  ['build.finished', 'INVALID_INPUT', expect.stringContaining('ok: ')],
  ['build.started', 'INVALID_INPUT', expect.stringContaining('no schema')],
];

describe('publishing', () => {
  test('sends what fits, as it was given', async () => {
    const { events, published } = await clientOf();
    await Promise.all([
      events.publish('build.finished', { ok: true }),
      events.publish('task.qa-1.assigned', { at: '2026-02-03T04:05:06.000Z' }),
    ]);
    expect(published).toMatchObject([
      { topic: 'build.finished', data: { ok: true } },
      { topic: 'task.qa-1.assigned', data: { at: '2026-02-03T04:05:06.000Z' } },
    ]);
  });

  test('refuses what does not fit, and sends nothing', async () => {
    const { events, published } = await clientOf();
    const untyped = events.publish as (topic: string, data: unknown) => Promise<unknown>;
    await expect(untyped('build.finished', { ok: 1 })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: [{ path: 'ok', reason: expect.any(String) }],
    });
    await expect(untyped('build.started', {})).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(published).toEqual([]);
  });
});

describe('what arrives', () => {
  test('of a subscription is read by its schema; an invalid event goes to onInvalid and is skipped', async () => {
    const { events } = await clientOf();
    const invalidEvents: unknown[] = [];
    const data: unknown[] = [];
    const subscription = events.subscribe({
      topics: ['build.finished', 'task.*.assigned'],
      onInvalid: invalid(invalidEvents),
    });
    for await (const item of subscription) {
      data.push(item.type === 'event' ? item.event.data : item.type);
      if (data.length === 3) break;
    }
    expect(data).toEqual(['bookmark', { ok: true, tookMs: 0 }, { at: new Date('2026-02-03T04:05:06.000Z') }]);
    expect(invalidEvents).toEqual(INVALID);
  });

  test('that is invalid is skipped when there is no onInvalid', async () => {
    const { events } = await clientOf();
    const data: unknown[] = [];
    const listener = events.on(['build.finished', 'task.*.assigned'], (one) => data.push(one.data));
    await waitFor(() => data.length === 2, { what: 'the readable ones' });
    listener.stop();
  });

  test('goes to a listener in the same way', async () => {
    const { events } = await clientOf();
    const invalidEvents: unknown[] = [];
    const topics: string[] = [];
    const listener = events.on(['build.finished', 'task.*.assigned'], (one) => topics.push(one.topic), {
      onInvalid: invalid(invalidEvents),
    });
    await waitFor(() => topics.length === 2, { what: 'the readable ones' });
    expect(topics).toEqual(['build.finished', 'task.qa-1.assigned']);
    expect(invalidEvents).toEqual(INVALID);
    listener.stop();
    await listener.closed;
  });

  test('is given back by a consumer, so that it becomes a dead letter', async () => {
    const { events, posted } = await clientOf();
    const invalidEvents: unknown[] = [];
    const handled: unknown[] = [];
    const options = {
      group: 'g',
      topics: ['build.finished', 'task.*.assigned'],
      onInvalid: invalid(invalidEvents),
    } as const;
    const consumer = events.consume(options, (one) => handled.push(one.topic));
    const idsOf = (path: string) =>
      posted.flatMap(({ path: called, body }) => (called === path ? (body['deliveryIds'] as string[]) : []));
    await waitFor(() => idsOf('/trpc/bus.ack').length + idsOf('/trpc/bus.nack').length === 4, { what: 'all' });
    expect(handled).toEqual(['build.finished', 'task.qa-1.assigned']);
    expect(idsOf('/trpc/bus.ack')).toEqual(['1', '4']);
    expect(idsOf('/trpc/bus.nack')).toEqual(['2', '3']);
    expect(posted.filter(({ path }) => path === '/trpc/bus.nack').map(({ body }) => body['reason'])).toEqual(
      INVALID.map(([, , message]) => message),
    );
    expect(invalidEvents).toEqual(INVALID);
    await consumer.stop();
  });

  test('that is invalid is acknowledged when onInvalid returns ack', async () => {
    const { events, posted } = await clientOf();
    const consumer = events.consume({ group: 'g', topics: ['build.finished'], onInvalid: () => 'ack' }, () => {});
    const acked = () => posted.flatMap(({ body }) => body['deliveryIds'] as string[]);
    await waitFor(() => acked().length === 4, { what: 'all acks' });
    expect(posted.every(({ path }) => path === '/trpc/bus.ack')).toBe(true);
    await consumer.stop();
  });
});
