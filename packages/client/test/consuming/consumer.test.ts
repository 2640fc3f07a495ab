// Consumers against a small HTTP server that delivers, and keeps a record of acks and nacks.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type GroupEvent, SwarmError, type SwarmEvent } from '@hypercode/contracts';
import { HeldClock } from '@hypercode/clock/testing';
import { trackLeaks, waitFor } from '@hypercode/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '@hypercode/clock';
import { type Connection, openConnection } from '../../src/transport/connection.ts';
import {
  type ConsumeOptions,
  type DeliveryHandler,
  deliveriesOf,
  GroupConsumer,
} from '../../src/consuming/consumer.ts';
import { SettleQueue } from '../../src/consuming/settle-queue.ts';

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

interface Settled {
  readonly path: string;
  readonly group: string;
  readonly namespace?: string;
  readonly deliveryIds: string[];
  readonly delayMs?: number;
  readonly reason?: string;
}

interface Group {
  /** What each stream was opened with. */
  readonly opened: { input: Record<string, unknown>; response: ServerResponse; request: IncomingMessage }[];
  readonly settled: Settled[];
  readonly connection: Connection;
  /** Answers a settlement in place of the server; true when it has. */
  intercept: (settled: Settled, response: ServerResponse) => boolean;
}

const impatient: Clock = { ...systemClock, random: () => 0 };

/** A group whose streams begin with these values, each the next. */
async function groupOf(streams: GroupEvent[][], clock: Clock = impatient): Promise<Group> {
  const opened: Group['opened'] = [];
  const settled: Settled[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://core');
    if (pathname === '/trpc/bus.consume') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: connected\ndata: {"reconnectAfterInactivityMs":10000}\n\n\n');
      const values = streams[opened.length] ?? [];
      opened.push({ input: JSON.parse(searchParams.get('input') ?? '') as Record<string, unknown>, response, request });
      response.write(frames(values));
      return;
    }
    let text = '';
    request.on('data', (chunk) => (text += String(chunk)));
    request.on('end', () => {
      const settlement = { path: pathname, ...(JSON.parse(text) as Omit<Settled, 'path'>) };
      settled.push(settlement);
      if (group.intercept(settlement, response)) return;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ result: { data: { settled: settlement.deliveryIds.length } } }));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connection = openConnection({ url, token: 'secret', namespace: 'lab' }, clock);
  connections.push(connection);
  const group: Group = { opened, settled, connection, intercept: () => false };
  return group;
}

const frames = (values: readonly GroupEvent[]): string =>
  values
    .map(
      (value) => `data: ${JSON.stringify(value)}\nid: ${'deliveryId' in value ? value.deliveryId : value.type}\n\n\n`,
    )
    .join('');
const delivery = (number: number, attempt = 1): GroupEvent => ({
  type: 'delivery',
  deliveryId: `${number}/${attempt}`,
  attempt,
  dueAt: '2030-01-01T00:00:00.000Z',
  position: String(number),
  event: {
    id: '018f3f1e-7c4b-7cc3-98c4-dc0c0c07398f',
    topic: 'a.b',
    data: number,
    time: '2026-01-01T00:00:00.000Z',
    namespace: 'lab',
    source: '/agents/lab/someone',
  },
});
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

function consume(group: Group, handler: DeliveryHandler, options: Partial<ConsumeOptions> = {}): GroupConsumer {
  const { connection } = group;
  return new GroupConsumer(
    connection,
    new SettleQueue(connection),
    { group: 'g', topics: ['a.*'], ...options },
    handler,
  );
}

const ackedIds = ({ settled }: Group): string[] =>
  settled.filter(({ path }) => path === '/trpc/bus.ack').flatMap(({ deliveryIds }) => deliveryIds);

describe('a consumer', () => {
  test('gives back what a handler threw at it in whatever form', async () => {
    const strange = [Object.create(null), Object.assign(new Error('x'), { message: { why: 1 } }), null, Symbol('no')];
    const group = await groupOf([range(strange.length).map((number) => delivery(number))]);
    const consumer = consume(
      group,
      ({ data }) => {
        throw strange[Number(data) - 1];
      },
      { onError: () => {} },
    );
    await waitFor(() => group.settled.flatMap(({ deliveryIds }) => deliveryIds).length === 4, { what: 'all nacks' });
    expect(group.settled.every(({ path, reason }) => path === '/trpc/bus.nack' && typeof reason === 'string')).toBe(
      true,
    );
    await consumer.stop();
  });

  test('gives an event back with a delay that grows with the attempt, by default', async () => {
    const throwing = () => {
      throw new Error('again');
    };
    const delaysOf = async (options: Partial<ConsumeOptions>) => {
      const group = await groupOf([[delivery(1), delivery(2, 2), delivery(3, 3), delivery(4, 40)]]);
      const consumer = consume(group, throwing, { onError: () => {}, ...options });
      await waitFor(() => group.settled.length === 4, { what: 'all nacks' });
      await consumer.stop();
      return group.settled
        .toSorted((a, b) => String(a.deliveryIds).localeCompare(String(b.deliveryIds)))
        .map(({ delayMs }) => delayMs);
    };
    expect(await delaysOf({})).toEqual([500, 1_000, 2_000, 30_000]);
    expect(await delaysOf({ retryDelayMs: { firstMs: 100, maxMs: 5_000 } })).toEqual([50, 100, 200, 2_500]);
  });

  test('gives an event back at once when it stops', async () => {
    const group = await groupOf([[delivery(1)]]);
    const consumer = consume(group, (_, { signal }) => {
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    });
    await waitFor(() => consumer.running === 1, { what: 'the handler' });
    await consumer.stop({ timeoutMs: 1 });
    await waitFor(() => group.settled.length === 1, { what: 'the nack' });
    expect(group.settled).toMatchObject([{ delayMs: 0, reason: 'stopped' }]);
  });

  test('asks for no longer a delay than there is', async () => {
    const group = await groupOf([[delivery(1), delivery(2, 40)]]);
    const consumer = consume(
      group,
      () => {
        throw new Error('again');
      },
      { onError: () => {}, retryDelayMs: (attempt) => (attempt === 1 ? Infinity : 1000 * 2 ** attempt) },
    );
    await waitFor(() => group.settled.flatMap(({ deliveryIds }) => deliveryIds).length === 2, { what: 'both nacks' });
    expect(group.settled.map(({ delayMs }) => delayMs)).toEqual(group.settled.map(() => 86_400_000));
    await consumer.stop();
  });

  test('joins its group under one name over all connections', async () => {
    const group = await groupOf([[delivery(1)], [delivery(2)]]);
    const consumer = consume(group, () => {}, {
      from: 'earliest',
      maxInFlight: 4,
      ackDeadlineMs: 500,
      maxDeliveries: 3,
    });
    await waitFor(() => ackedIds(group).length === 1, { what: 'the first ack' });
    group.opened[0]?.response.end();
    await waitFor(() => ackedIds(group).length === 2, { what: 'the second ack' });
    const inputs = group.opened.map(({ input }) => input);
    expect(inputs[0]).toEqual({
      namespace: 'lab',
      group: 'g',
      topics: ['a.*'],
      from: 'earliest',
      consumer: expect.stringMatching(/./),
      maxInFlight: 4,
      ackDeadlineMs: 500,
      maxDeliveries: 3,
    });
    expect(inputs[1]).toEqual(inputs[0]);
    await consumer.stop();
  });

  test('acknowledges what was handled, once it was, and in batches', async () => {
    const group = await groupOf([range(40).map((number) => delivery(number))]);
    const gate = Promise.withResolvers<void>();
    const seen: [SwarmEvent, number, string][] = [];
    const consumer = consume(
      group,
      async (event, { attempt, position }) => {
        seen.push([event, attempt, position]);
        await gate.promise;
      },
      { maxInFlight: 100 },
    );
    await waitFor(() => seen.length === 40, { what: 'all handlers' });
    expect(consumer.running).toBe(40);
    expect(group.settled).toEqual([]);
    gate.resolve();
    await waitFor(() => ackedIds(group).length === 40, { what: 'all acks' });
    expect(ackedIds(group)).toEqual(range(40).map((number) => `${number}/1`));
    expect(group.settled).toHaveLength(1);
    expect(group.settled[0]).toMatchObject({ group: 'g', namespace: 'lab' });
    expect(seen[0]).toEqual([expect.objectContaining({ data: 1, topic: 'a.b' }), 1, '1']);
    await consumer.stop();
  });

  test('runs no more handlers at a time than it may', async () => {
    const group = await groupOf([range(10).map((number) => delivery(number))]);
    const gates: (() => void)[] = [];
    const consumer = consume(group, () => new Promise<void>((resolve) => gates.push(resolve)), { maxInFlight: 3 });
    await waitFor(() => gates.length === 3, { what: 'three handlers' });
    for (let handled = 0; handled < 10; handled += 1) {
      expect(consumer.running).toBeLessThanOrEqual(3);
      await waitFor(() => gates.length > handled, { what: 'the next handler' });
      gates[handled]?.();
    }
    await waitFor(() => ackedIds(group).length === 10, { what: 'all acks' });
    await consumer.stop();
  });

  test('gives back what a handler threw at, with the reason and after the delay', async () => {
    const group = await groupOf([[delivery(1), delivery(2, 3), delivery(3)]]);
    const errors: unknown[] = [];
    const consumer = consume(
      group,
      ({ data }) => {
        if (data === 1) throw new Error(`bad \0 \ud800 ${'x'.repeat(2_000)}`);
        if (data === 2) return Promise.reject(new SwarmError('CONFLICT', 'later'));
        return undefined;
      },
      { retryDelayMs: (attempt) => attempt * 100, onError: (error) => errors.push(error) },
    );
    await waitFor(() => group.settled.length === 3, { what: 'all settlements' });
    const nacks = group.settled.filter(({ path }) => path === '/trpc/bus.nack');
    expect(nacks).toMatchObject([
      { deliveryIds: ['1/1'], delayMs: 100, reason: expect.stringMatching(/^bad {2}\ufffd x+$/) },
      { deliveryIds: ['2/3'], delayMs: 300, reason: 'later' },
    ]);
    expect(nacks[0]?.reason?.length).toBeLessThanOrEqual(1024);
    expect(ackedIds(group)).toEqual(['3/1']);
    expect(errors).toMatchObject([{ message: expect.stringMatching('bad') }, { code: 'CONFLICT' }]);
    await consumer.stop();
  });

  test('aborts the signal of a handler at the deadline, and takes what comes late', async () => {
    const group = await groupOf([[delivery(1)]]);
    const reasons: unknown[] = [];
    const consumer = consume(
      group,
      async (_, { signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        reasons.push(signal.reason);
      },
      { ackDeadlineMs: 30 },
    );
    await waitFor(() => ackedIds(group).length === 1, { what: 'the late ack' });
    expect(reasons).toMatchObject([{ code: 'UNAVAILABLE', message: expect.stringContaining('30 ms') }]);
    await consumer.stop();
  });

  test('takes nothing while all of its handlers hang, and comes back when one ends', async () => {
    const group = await groupOf([[delivery(1), delivery(2), delivery(3)], [delivery(4)]]);
    const gates = new Map<unknown, () => void>();
    const begun: unknown[] = [];
    const consumer = consume(
      group,
      ({ data }) => {
        begun.push(data);
        return new Promise<void>((resolve) => gates.set(data, resolve));
      },
      { maxInFlight: 2, ackDeadlineMs: 40 },
    );
    await waitFor(() => group.opened[0]?.response.closed, { what: 'the stream to be closed' });
    expect([begun, consumer.running, group.opened.length]).toEqual([[1, 2], 2, 1]);
    gates.get(2)?.();
    await waitFor(() => begun.includes(4), { what: 'the next delivery' });
    expect(ackedIds(group)).toEqual(['2/1']);
    expect(begun).toEqual([1, 2, 4]);
    const [before, after] = group.opened.map(({ input }) => input['consumer']);
    expect([typeof after, after]).toEqual(['string', before]);
    for (const open of gates.values()) open();
    await consumer.stop();
  });

  test('counts the deadline from when a delivery came, also while it waits for a place', async () => {
    const clock = new HeldClock();
    const gap: GroupEvent = { type: 'gap', lost: 1, reason: 'retention' };
    const group = await groupOf([[delivery(1), delivery(2), delivery(3), delivery(4), gap]], clock);
    const signals = new Map<unknown, AbortSignal>();
    const gates = new Map<unknown, () => void>();
    let hasComeAll = false;
    const consumer = consume(
      group,
      ({ data }, { signal }) => {
        signals.set(data, signal);
        return new Promise<void>((resolve) => gates.set(data, resolve));
      },
      { maxInFlight: 2, ackDeadlineMs: 1_000, onGap: () => (hasComeAll = true) },
    );
    await waitFor(() => hasComeAll, { what: 'all deliveries' });
    clock.advance(600);
    gates.get(2)?.();
    await waitFor(() => signals.has(3), { what: 'the delivery that has waited' });
    clock.advance(399);
    expect(signals.get(3)?.aborted).toBe(false);
    clock.advance(1);
    expect(signals.get(3)?.aborted).toBe(true);
    gates.get(3)?.();
    await waitFor(() => ackedIds(group).includes('3/1'), { what: 'the late ack' });
    group.opened[0]?.response.write(frames([delivery(5)]));
    await waitFor(() => signals.has(5), { what: 'the next delivery' });
    // The fourth belongs to another member.
    expect([...signals.keys()]).toEqual([1, 2, 3, 5]);
    for (const open of gates.values()) open();
    await consumer.stop();
  });

  test('can be stopped while all of its handlers hang', async () => {
    const leaks = trackLeaks();
    const group = await groupOf([[delivery(1)]]);
    const consumer = consume(group, () => new Promise(() => {}), { maxInFlight: 1, ackDeadlineMs: 20 });
    await waitFor(() => group.opened[0]?.response.closed, { what: 'the stream to be closed' });
    await consumer.stop({ timeoutMs: 10 });
    expect(group.opened).toHaveLength(1);
    group.connection.close(new SwarmError('UNAVAILABLE', 'closed'));
    await Promise.all(servers.splice(0).map((server) => end(server)));
    await leaks.check();
  });

  test('handles a delivery once, however often it comes', async () => {
    const group = await groupOf([[delivery(1), delivery(1), delivery(1, 2)]]);
    const attempts: number[] = [];
    const gate = Promise.withResolvers<void>();
    const consumer = consume(group, async (_, { attempt }) => {
      attempts.push(attempt);
      await gate.promise;
    });
    await waitFor(() => attempts.length === 2, { what: 'both attempts' });
    gate.resolve();
    await consumer.stop();
    expect(attempts).toEqual([1, 2]);
    expect(ackedIds(group)).toEqual(['1/1', '1/2']);
  });

  test('begins another where one has left its place, and waits for both', async () => {
    const group = await groupOf([[delivery(1), delivery(2), delivery(3)]]);
    const gates = new Map<unknown, () => void>();
    const consumer = consume(
      group,
      ({ data }, { leavePlace }) => {
        if (data === 1) for (const _ of [1, 2]) leavePlace();
        return new Promise<void>((resolve) => gates.set(data, resolve));
      },
      { maxInFlight: 1 },
    );
    await waitFor(() => gates.size === 2, { what: 'the second handler' });
    expect(consumer.running).toBe(1);
    const stopped = consumer.stop();
    for (const open of gates.values()) open();
    await stopped;
    expect([...gates.keys()]).toEqual([1, 2]);
    expect(ackedIds(group).toSorted()).toEqual(['1/1', '2/1']);
  });

  test('reports gaps', async () => {
    const group = await groupOf([[{ type: 'gap', lost: 7, reason: 'retention' }, delivery(1)]]);
    const gaps: unknown[] = [];
    const consumer = consume(group, () => {}, { onGap: (gap) => gaps.push(gap) });
    await waitFor(() => ackedIds(group).length === 1, { what: 'the ack' });
    expect(gaps).toEqual([{ type: 'gap', lost: 7, reason: 'retention' }]);
    await consumer.stop();
  });

  test('ends with a refusal that no retry can help, after what it has begun', async () => {
    const group = await groupOf([[delivery(1)]]);
    const gate = Promise.withResolvers<void>();
    const consumer = consume(group, () => gate.promise);
    await waitFor(() => consumer.running === 1, { what: 'the handler' });
    const error = new SwarmError('CONFLICT', 'a group of other settings');
    const shape = { data: { httpStatus: 409, swarm: error.toJSON() } };
    group.opened[0]?.response.write(`event: serialized-error\ndata: ${JSON.stringify(shape)}\n\n\n`);
    gate.resolve();
    await expect(consumer.closed).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(ackedIds(group)).toEqual(['1/1']);
    await consumer.stop();
  });
});

describe('stopping', () => {
  test('waits for handlers and their acks, and leaves no listener or timer', async () => {
    const leaks = trackLeaks();
    const group = await groupOf([[delivery(1), delivery(2), delivery(3)]]);
    const gate = Promise.withResolvers<void>();
    const begun: unknown[] = [];
    const consumer = consume(
      group,
      async ({ data }) => {
        begun.push(data);
        await gate.promise;
      },
      { maxInFlight: 2 },
    );
    await waitFor(() => begun.length === 2, { what: 'two handlers' });
    const stopped = Promise.all([consumer.stop(), consumer.stop()]);
    gate.resolve();
    await stopped;
    await consumer.closed;
    expect(begun).toEqual([1, 2]);
    expect(ackedIds(group)).toEqual(['1/1', '2/1']);
    group.connection.close(new SwarmError('UNAVAILABLE', 'closed'));
    await Promise.all(servers.splice(0).map((server) => end(server)));
    await leaks.check();
  });

  test('does not wait for ever', async () => {
    const group = await groupOf([[delivery(1)]]);
    const signals: AbortSignal[] = [];
    const consumer = consume(group, (_, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    });
    await waitFor(() => signals.length === 1, { what: 'the handler' });
    await consumer.stop({ timeoutMs: 20 });
    expect(signals[0]?.aborted).toBe(true);
    expect(group.settled).toEqual([]);
  });

  test.each(['the signal', 'the end of the client'])('by %s does not wait for a handler to end', async (how) => {
    const group = await groupOf([[delivery(1)]]);
    const controller = new AbortController();
    const hanging = () => new Promise(() => {});
    const consumer = consume(group, hanging, { signal: controller.signal, maxInFlight: 1 });
    await waitFor(() => consumer.running === 1, { what: 'the handler' });
    if (how === 'the signal') controller.abort();
    else group.connection.close(new SwarmError('FENCED', 'a later incarnation has the name'));
    if (how === 'the signal') await consumer.stop({ timeoutMs: 20 });
    else await expect(consumer.closed).rejects.toMatchObject({ code: 'FENCED' });
  });

  test('follows from the signal, and from the end of the client', async () => {
    const group = await groupOf([[delivery(1)], [delivery(2)]]);
    const controller = new AbortController();
    const first = consume(group, () => {}, { signal: controller.signal });
    await waitFor(() => ackedIds(group).length === 1, { what: 'the ack' });
    controller.abort();
    await first.closed;
    const signals: AbortSignal[] = [];
    const second = consume(group, (_, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    });
    await waitFor(() => signals.length === 1, { what: 'the handler' });
    group.connection.close(new SwarmError('UNAVAILABLE', 'closed'));
    await second.closed;
    expect(signals[0]?.reason).toMatchObject({ message: 'closed' });
  });
});

describe('an ack', () => {
  const faults: Record<string, (response: ServerResponse) => void> = {
    'an answer that got lost': (response) => response.socket?.resetAndDestroy(),
    'a store that does not answer': (response) =>
      void response
        .writeHead(503)
        .end(JSON.stringify({ error: { data: { swarm: new SwarmError('UNAVAILABLE', 'no store').toJSON() } } })),
  };

  test.each(Object.keys(faults))('is repeated after %s', async (name) => {
    const group = await groupOf([[delivery(1)]]);
    const consumer = consume(group, () => {});
    group.intercept = (_, response) => {
      if (group.settled.length > 2) return false;
      faults[name]?.(response);
      return true;
    };
    await waitFor(() => group.settled.length >= 3, { what: 'the third try' });
    await consumer.stop();
    expect(new Set(ackedIds(group))).toEqual(new Set(['1/1']));
  });

  test('that is refused goes to onError', async () => {
    const group = await groupOf([[delivery(1)]]);
    group.intercept = (_, response) => {
      const body = { error: { data: { swarm: new SwarmError('ACL_DENIED', 'not any more').toJSON() } } };
      response.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      return true;
    };
    const errors: unknown[] = [];
    const consumer = consume(group, () => {}, { onError: (error, { data }) => errors.push([error, data]) });
    await waitFor(() => errors.length === 1, { what: 'the error' });
    expect(errors).toMatchObject([[{ code: 'ACL_DENIED' }, 1]]);
    await consumer.stop();
  });

  test('travels with others of its kind alone, of which there are not too many in one call', async () => {
    const group = await groupOf([]);
    const queue = new SettleQueue(group.connection);
    const nack = { delayMs: 0, reason: 'busy' };
    await Promise.all([
      ...range(600).map((number) => queue.settle({ namespace: undefined, group: 'g', deliveryId: `a${number}` })),
      ...range(3).map((number) => queue.settle({ namespace: 'other', group: 'g', deliveryId: `b${number}` })),
      ...range(3).map((number) => queue.settle({ namespace: undefined, group: 'h', deliveryId: `c${number}`, nack })),
      queue.settle({ namespace: undefined, group: 'h', deliveryId: 'd', nack: { ...nack, delayMs: 5 } }),
    ]);
    await queue.flush();
    const sizes = group.settled.map(({ path, namespace, group: name, deliveryIds, delayMs }) =>
      [path, namespace, name, delayMs, deliveryIds.length].join(' '),
    );
    expect(sizes.toSorted()).toEqual(
      [
        '/trpc/bus.ack lab g  256',
        '/trpc/bus.ack lab g  256',
        '/trpc/bus.ack lab g  88',
        '/trpc/bus.ack other g  3',
        '/trpc/bus.nack lab h 0 3',
        '/trpc/bus.nack lab h 5 1',
      ].toSorted(),
    );
    expect(ackedIds(group)).toHaveLength(603);
  });

  const settleEach = (queue: SettleQueue, count: number): Promise<void>[] =>
    range(count).map((number) => {
      const nack = { delayMs: 0, reason: `reason ${number}` };
      return queue.settle({ namespace: undefined, group: 'g', deliveryId: `n${number}`, nack });
    });

  test('is one of few calls that are under way, of however many kinds', async () => {
    const group = await groupOf([]);
    const queue = new SettleQueue(group.connection);
    const held: (() => void)[] = [];
    let most = 0;
    group.intercept = (_, response) => {
      held.push(() => response.writeHead(200).end('{"result":{"data":{}}}'));
      most = Math.max(most, held.length);
      return true;
    };
    const acks = range(600).map((number) =>
      queue.settle({ namespace: undefined, group: 'g', deliveryId: `a${number}` }),
    );
    const nacks = settleEach(queue, 100);
    await waitFor(() => held.length >= 8, { what: 'the first calls' });
    expect(group.settled.slice(0, 8).filter(({ path }) => path === '/trpc/bus.ack')).toHaveLength(1);
    const release = setInterval(() => held.splice(0).forEach((answer) => answer()), 1);
    await Promise.all([...acks, ...nacks]);
    clearInterval(release);
    expect(most).toBe(8);
    expect(group.settled).toHaveLength(3 + 100);
  });

  test('is given up in time, also when its turn has not come', async () => {
    const clock = new HeldClock();
    const group = await groupOf([], clock);
    const queue = new SettleQueue(group.connection);
    group.intercept = () => true;
    const refused = Promise.all(
      settleEach(queue, 30).map((settled) => expect(settled).rejects.toMatchObject({ code: 'UNAVAILABLE' })),
    );
    await waitFor(() => group.settled.length >= 8, { what: 'the first calls' });
    clock.advance(30_000);
    await refused;
    expect(group.settled).toHaveLength(8);
    expect(clock.armed).toBe(0);
  });

  test('is refused when the client is closed', async () => {
    const group = await groupOf([]);
    const queue = new SettleQueue(group.connection);
    const waiting = queue.settle({ namespace: undefined, group: 'g', deliveryId: 'a' });
    group.connection.close(new SwarmError('UNAVAILABLE', 'closed'));
    await expect(waiting).rejects.toMatchObject({ message: 'closed' });
    const later = queue.settle({ namespace: undefined, group: 'g', deliveryId: 'a' });
    await expect(later).rejects.toMatchObject({ message: 'closed' });
    await queue.flush();
  });
});

test('values of the stream that are no deliveries begin no handler, nor does a type that is not known', async () => {
  const unknown = { type: 'weather', deliveryId: 'none' } as unknown as GroupEvent;
  const group = await groupOf([[joined, unknown, delivery(1), { type: 'bookmark', position: '1', paused: false }]]);
  const handled: unknown[] = [];
  const consumer = consume(group, async ({ data }) => void handled.push(data));
  await waitFor(() => group.settled.length === 1, { what: 'the ack' });
  expect(handled).toEqual([1]);
  await consumer.stop();
});

const joined: GroupEvent = {
  type: 'joined',
  groupId: null,
  consumer: 'me',
  settings: { version: 1, topics: ['a'], ackDeadlineMs: 30_000, maxDeliveries: 5 },
  paused: false,
};

test('deliveries by hand are the events of the group, and end with the loop', async () => {
  const gap: GroupEvent = { type: 'gap', lost: null, reason: 'log_lost' };
  const bookmark: GroupEvent = { type: 'bookmark', position: '2', paused: true };
  const unknown = { type: 'weather' } as unknown as GroupEvent;
  const all = [joined, gap, delivery(1), delivery(2), bookmark];
  const group = await groupOf([[unknown, ...all]]);
  const seen: GroupEvent[] = [];
  for await (const item of deliveriesOf(group.connection, { group: 'g', topics: ['a'], consumer: 'me' })) {
    seen.push(item);
    if (seen.length === all.length) break;
  }
  expect(seen).toEqual(all);
  expect(group.opened[0]?.input).toMatchObject({ consumer: 'me' });
  expect(group.settled).toEqual([]);
});

test('a consumer that comes back names its group, and stops for good when that was deleted', async () => {
  const joinedTo = (groupId: string) => [{ ...joined, groupId } as GroupEvent];
  const group = await groupOf([joinedTo('group-1'), joinedTo('group-2'), []]);
  const consumer = new GroupConsumer(
    group.connection,
    new SettleQueue(group.connection),
    { group: 'g' },
    () => undefined,
  );
  for (const [index, named] of [undefined, 'group-1'].entries()) {
    await waitFor(() => group.opened.length === index + 1, { what: 'a stream' });
    expect(group.opened[index]?.input['groupId']).toBe(named);
    expect(group.opened[index]?.input['topics']).toBeUndefined();
    group.opened[index]?.response.destroy();
  }
  await waitFor(() => group.opened.length === 3, { what: 'the last stream' });
  expect(group.opened[2]?.input['groupId']).toBe('group-2');
  const refusal = new SwarmError('NOT_FOUND', 'the group was deleted', { details: { deleted: true } });
  const shape = { data: { httpStatus: refusal.httpStatus, swarm: refusal } };
  group.opened[2]?.response.write(`event: serialized-error\ndata: ${JSON.stringify(shape)}\n\n\n`);
  await expect(consumer.closed).rejects.toMatchObject({ code: 'NOT_FOUND', details: { deleted: true } });
  expect(group.opened).toHaveLength(3);
});
