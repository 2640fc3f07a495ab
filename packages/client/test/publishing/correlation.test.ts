// What events have of the events that led to them, when handlers publish on a whole core.
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import type { SwarmEvent } from '@hypercode/contracts';
import { waitFor } from '@hypercode/testkit';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { causedBy, createSwarmClient, type SwarmClient, type SwarmClientOptions } from '../../src/index.ts';

let core: TestCore;
let client: SwarmClient;
let namespace: string;
let count = 0;
const clients: SwarmClient[] = [];

const TRACEPARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const range = (length: number): number[] => Array.from({ length }, (_, index) => index);

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);
beforeEach(() => {
  count += 1;
  namespace = `${core.namespace}-${count}`;
  client = connect();
});
afterEach(async () => {
  for (const opened of clients.splice(0)) await opened.close();
});

function connect(options: Partial<SwarmClientOptions> = {}): SwarmClient {
  const opened = createSwarmClient({ url: core.url, token: core.adminToken, namespace, ...options });
  clients.push(opened);
  return opened;
}

/** All events of the topics, once there are that many. */
const eventsOf = (topic: string, atLeast = 1): Promise<SwarmEvent[]> =>
  waitFor(
    async () => {
      const { events } = await client.bus.read({ topics: [topic], limit: 500 });
      return events.length >= atLeast ? events.map(({ event }) => event) : null;
    },
    { what: `${atLeast} events of ${topic}` },
  );
const eventOf = async (topic: string): Promise<SwarmEvent> => {
  const [event] = await eventsOf(topic);
  if (event === undefined) throw new Error(`there is no event of ${topic}`);
  return event;
};
const group = (name: string, topic: string) => ({ group: name, topics: [topic], from: 'earliest' as const });

describe('what a handler publishes', () => {
  test('names the event that is being handled, and stays in its conversation', async () => {
    client.consume(group('first', 'a.begun'), async () => {
      await client.bus.topics({});
      await client.publish('b.begun', null);
    });
    client.consume(group('second', 'b.begun'), async () => void (await client.publish('c.begun', null)));
    const { id } = await client.publish('a.begun', null);
    const second = await eventOf('b.begun');
    expect(second).toMatchObject({ correlationId: id, causationId: id });
    expect(await eventOf('c.begun')).toMatchObject({ correlationId: id, causationId: second.id });
    expect(await eventOf('a.begun')).not.toHaveProperty('correlationId');
  });

  test('takes the conversation and the trace of the event', async () => {
    await client.on('a.begun', () => client.publish('b.begun', null)).attached;
    const options = { correlationId: 'order-7', causationId: 'elsewhere', traceparent: TRACEPARENT };
    const { id } = await client.publish('a.begun', null, options);
    const expected = { correlationId: 'order-7', causationId: id, traceparent: TRACEPARENT };
    expect(await eventOf('b.begun')).toMatchObject(expected);
  });

  test('keeps what its publisher sets', async () => {
    const own = { correlationId: 'own', causationId: 'other', traceparent: TRACEPARENT.replace('b', 'c') };
    await client.on('a.begun', () => client.publish('b.begun', null, own)).attached;
    await client.on('a.begun', () => client.publish('c.begun', null, { correlationId: 'own' })).attached;
    const { id } = await client.publish('a.begun', null, { traceparent: TRACEPARENT });
    expect(await eventOf('b.begun')).toMatchObject(own);
    const expected = { correlationId: 'own', causationId: id, traceparent: TRACEPARENT };
    expect(await eventOf('c.begun')).toMatchObject(expected);
  });

  test('is the same through another client of the process', async () => {
    const other = connect();
    await client.on('a.begun', () => other.publish('b.begun', null)).attached;
    const { id } = await client.publish('a.begun', null);
    expect(await eventOf('b.begun')).toMatchObject({ correlationId: id, causationId: id });
  });

  test('is never of another event that is handled at the same time', async () => {
    const numbers = range(40);
    let waiting: (() => void)[] = [];
    const options = { ...group('workers', 'a.begun'), maxInFlight: 8 };
    client.consume(options, async ({ data }) => {
      // Eight handlers run at a time, and go on in the opposite order.
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length < 8) return;
        for (const go of waiting.toReversed()) go();
        waiting = [];
      });
      await Promise.all([client.publish('b.begun', data), client.publish('b.begun', data)]);
    });
    const begun = await Promise.all(numbers.map((number) => client.publish('a.begun', number)));
    const results = await eventsOf('b.begun', 2 * numbers.length);
    expect(results.map(({ data, causationId }) => [data, causationId])).toEqual(
      results.map(({ data }) => [data, begun[Number(data)]?.id]),
    );
  });

  test('is what `onError` publishes, too', async () => {
    const fail = (): never => {
      throw new Error('no luck');
    };
    await client.on('a.begun', fail, { onError: () => void client.publish('b.begun', null) }).attached;
    client.consume({ ...group('workers', 'a.begun'), onError: () => void client.publish('c.begun', null) }, fail);
    const { id } = await client.publish('a.begun', null);
    expect(await eventOf('b.begun')).toMatchObject({ causationId: id });
    expect(await eventOf('c.begun')).toMatchObject({ causationId: id });
  });
});

describe('nothing is set', () => {
  const isBare = (event: SwarmEvent): void => {
    for (const name of ['correlationId', 'causationId', 'traceparent']) expect(event).not.toHaveProperty(name);
  };

  test('on an event that is published with `correlate: false`', async () => {
    await client.on('a.begun', () => client.publish('b.begun', null, { correlate: false })).attached;
    await client.publish('a.begun', null, { traceparent: TRACEPARENT });
    isBare(await eventOf('b.begun'));
  });

  test('by a client without `correlate`, nor in its handlers', async () => {
    const without = connect({ correlate: false });
    await client.on('a.begun', () => without.publish('b.begun', null)).attached;
    await without.on('a.begun', () => client.publish('c.begun', null)).attached;
    await client.publish('a.begun', null);
    isBare(await eventOf('b.begun'));
    isBare(await eventOf('c.begun'));
  });

  test('after the handler has left its place, on what other code publishes', async () => {
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const options = { ...group('workers', 'a.begun'), maxInFlight: 1, ackDeadlineMs: 1_000, maxHandlerMs: 0 };
    client.consume(options, async ({ data }, { leavePlace, signal }) => {
      // The client aborts it, and no handler does.
      signal.addEventListener('abort', () => void client.publish('b.begun', data));
      if (data === 1) leavePlace();
      await ended;
    });
    await client.publish('a.begun', 1);
    await client.publish('a.begun', 2);
    const aborted = await waitFor(
      async () => {
        const events = await eventsOf('b.begun');
        return events.some(({ data }) => data === 2) ? events : null;
      },
      { what: 'the second delivery to be aborted' },
    );
    for (const event of aborted) isBare(event);
    end();
  });
});

test('`causedBy` gives a loop over deliveries or a subscription the same', async () => {
  const { id } = await client.publish('a.begun', null, { traceparent: TRACEPARENT });
  for await (const item of client.subscribe({ topics: ['a.begun'], from: 'earliest' })) {
    if (item.type !== 'event') continue;
    await client.publish('b.begun', null, causedBy(item.event));
    break;
  }
  expect(await eventOf('b.begun')).toMatchObject({ correlationId: id, causationId: id, traceparent: TRACEPARENT });
  expect(causedBy({ id, correlationId: 'order-7' })).toEqual({ correlationId: 'order-7', causationId: id });
});
