// Publishing against a small HTTP server that takes batches and answers, or does not, as each test needs.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LIMITS, problemOf, type PublishResult, SwarmError, type SwarmErrorBody } from '@hypercode/contracts';
import { HeldClock } from '@hypercode/clock/testing';
import { trackLeaks } from '@hypercode/testkit';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Clock, systemClock } from '@hypercode/clock';
import type { SwarmClientOptions } from '../../src/transport/client-options.ts';
import { type Connection, openConnection } from '../../src/transport/connection.ts';
import { OwnCircuit } from '../../src/publishing/own-circuit.ts';
import { MAX_REQUESTS, Publisher } from '../../src/publishing/publisher.ts';

interface Sent {
  readonly id: string;
  readonly topic: string;
  readonly data: unknown;
}

interface Batch {
  readonly number: number;
  readonly events: readonly Sent[];
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

const servers: Server[] = [];
const connections: Connection[] = [];

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close(new SwarmError('UNAVAILABLE', 'the test is over'));
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

/** Waits without jitter are no waits, so that trying again costs no time. */
const impatient: Clock = { ...systemClock, random: () => 0 };

async function serve(handle: (batch: Batch) => void): Promise<{ url: string; batches: Batch[] }> {
  const batches: Batch[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const events = JSON.parse(text) as Sent[];
      const batch = { number: batches.length + 1, events, request, response };
      batches.push(batch);
      handle(batch);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, batches };
}

function publisherOf(url: string, options: Partial<SwarmClientOptions> = {}, clock: Clock = impatient) {
  const connection = openConnection({ url, token: 'secret', ...options }, clock);
  connections.push(connection);
  return { publisher: new Publisher(connection), connection };
}

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};
const resultOf = ({ id }: Sent): PublishResult => ({ id, position: `at-${id}`, duplicate: false });
const answer = (
  { events, response }: Batch,
  result: (event: Sent) => PublishResult | { id: string; error: SwarmErrorBody } = resultOf,
): void => json(response, 200, { results: events.map(result) });
const refuse = ({ response }: Batch, error: SwarmError): void => json(response, error.httpStatus, problemOf(error));
const refusal = (event: Sent, error: SwarmError) => ({ id: event.id, error: error.toJSON() });

const rejection = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );
/** A busy machine takes its time. */
const PATIENCE = { timeout: 10_000 };
/** An answer has begun a pause of this length. */
const isPaused = (clock: HeldClock, forMs: number): Promise<void> =>
  vi.waitFor(() => expect(clock.nextInMs).toBe(forMs), PATIENCE);
/** What was on its way to be sent is sent. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
};
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('calls of one moment', () => {
  test('travel as one request, in order', async () => {
    const { url, batches } = await serve(answer);
    const { publisher } = publisherOf(url, { namespace: 'lab', headers: { 'x-trace': 'yes' } });
    const results = await Promise.all(
      range(10).map((number) => publisher.publish('a.b', { number, text: 'grüße 🐝' })),
    );
    expect(batches).toHaveLength(1);
    expect(batches[0]?.events.map(({ data }) => data)).toEqual(
      range(10).map((number) => ({ number, text: 'grüße 🐝' })),
    );
    expect(results.map(({ id }) => id)).toEqual(batches[0]?.events.map(({ id }) => id));
    expect(results[0]).toEqual({ id: expect.any(String), position: expect.any(String), duplicate: false });
    expect(batches[0]?.request).toMatchObject({
      method: 'POST',
      url: '/v1/events?namespace=lab',
      headers: {
        authorization: 'Bearer secret',
        'content-type': 'application/json',
        'content-length': expect.any(String),
        'x-trace': 'yes',
      },
    });
  });

  test('send their options and data as they were at the call', async () => {
    const { url, batches } = await serve(answer);
    const { publisher } = publisherOf(url);
    const id = '018f3f1e-7c4b-7cc3-98c4-dc0c0c07398f';
    const data = { step: 1 };
    const options = { id, time: '2026-01-01T00:00:00Z', subject: 's', correlationId: 'c', causationId: 'b' };
    const published = publisher.publish('a.b', data, options);
    data.step = 2;
    expect((await published).id).toBe(id);
    expect(batches[0]?.events).toEqual([{ ...options, topic: 'a.b', data: { step: 1 } }]);
    expect(await publisher.publish('a.b', null)).toMatchObject({ duplicate: false });
  });

  test('3,000 concurrent events travel in a few large requests, of which a few are under way at a time', async () => {
    let underWay = 0;
    let most = 0;
    const { url, batches } = await serve((batch) => {
      underWay += 1;
      most = Math.max(most, underWay);
      setImmediate(() => {
        underWay -= 1;
        answer(batch);
      });
    });
    const { publisher } = publisherOf(url);
    await Promise.all(range(3_000).map((number) => publisher.publish('a', number)));
    expect(
      batches.flatMap(({ events }) => events.map(({ data }) => data)).toSorted((a, b) => Number(a) - Number(b)),
    ).toEqual(range(3_000));
    expect(most).toBeLessThanOrEqual(MAX_REQUESTS);
    expect(batches.length).toBeLessThan(3_000 / 10);
    expect(batches.every(({ events }) => events.length <= LIMITS.publishManyEvents)).toBe(true);
  });

  test('are split by their size', async () => {
    const { url, batches } = await serve(answer);
    const { publisher } = publisherOf(url);
    const data = 'ü'.repeat(120 * 1024);
    await Promise.all(range(30).map(() => publisher.publish('a', data)));
    for (const { request } of batches) {
      expect(Number(request.headers['content-length'])).toBeLessThanOrEqual(LIMITS.publishManyBytes);
    }
    expect(batches.flatMap(({ events }) => events)).toHaveLength(30);
    expect(batches.length).toBeLessThan(30);
  });
});

describe('what can not be published', () => {
  test.each([
    ['a circle', () => Object.assign({}, { self: circle })],
    ['nothing', () => undefined],
    ['a function', () => () => {}],
    ['a bigint', () => 1n],
  ])('%s is refused at once', async (_, make) => {
    const { publisher } = publisherOf('http://127.0.0.1:1');
    expect(await rejection(publisher.publish('a', make()))).toMatchObject({
      code: 'INVALID_INPUT',
      details: [{ path: 'data' }],
    });
  });
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;

  test('more than an event may have is refused at once', async () => {
    const { publisher } = publisherOf('http://127.0.0.1:1');
    expect(await rejection(publisher.publish('a', 'ü'.repeat(130 * 1024)))).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { limit: 256 * 1024 },
    });
  });
});

describe('an event', () => {
  const faults: Record<string, (batch: Batch) => void> = {
    'an answer that got lost': ({ request }) => request.socket.resetAndDestroy(),
    'an answer that was cut off': ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
      response.write('{"results":', () => response.destroy());
    },
    "a proxy's page": ({ response }) => response.writeHead(502).end('<h1>Bad Gateway</h1>'),
    'a store that does not answer': (batch) => refuse(batch, new SwarmError('UNAVAILABLE', 'no store')),
    'the same for each event': (batch) =>
      answer(batch, (event) => refusal(event, new SwarmError('UNAVAILABLE', 'no store'))),
    'too many requests': (batch) => refuse(batch, new SwarmError('RATE_LIMITED', 'slow', { retryAfterMs: 20 })),
    'results that are not one for each': (batch) => json(batch.response, 200, { results: [] }),
    'results that are none': (batch) => json(batch.response, 200, { results: batch.events.map(() => 7) }),
    'no result': (batch) => json(batch.response, 200, {}),
  };

  test.each(Object.keys(faults))('is published again under the same id after %s', async (name) => {
    const { url, batches } = await serve((batch) => (batch.number <= 2 ? faults[name]?.(batch) : answer(batch)));
    const { publisher } = publisherOf(url);
    const results = await Promise.all([
      publisher.publish('a', 1),
      publisher.publish('a', 2),
      publisher.publish('a', 3),
    ]);
    const ids = results.map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    for (const id of ids)
      expect(batches.filter(({ events }) => events.some((event) => event.id === id)).length).toBeGreaterThan(1);
    const known = new Set(batches.flatMap(({ events }) => events.map((event) => event.id)));
    expect([...known].toSorted()).toEqual(ids.toSorted());
  });

  test('that is refused spares the others', async () => {
    const { url, batches } = await serve((batch) =>
      answer(batch, (event) => {
        if (event.data === 1) return refusal(event, new SwarmError('ACL_DENIED', 'not you'));
        if (event.data === 2 && batch.number === 1) return refusal(event, new SwarmError('RATE_LIMITED', 'slow'));
        return resultOf(event);
      }),
    );
    const { publisher } = publisherOf(url);
    const calls = range(4).map((data) => publisher.publish('a', data));
    expect(await rejection(calls[1] ?? Promise.resolve())).toMatchObject({ code: 'ACL_DENIED', message: 'not you' });
    expect((await Promise.allSettled(calls)).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(batches.map(({ events }) => events.map(({ data }) => data))).toEqual([[0, 1, 2, 3], [2]]);
  });

  test('that the rate refused keeps its place before later ones, in whatever order their requests are answered', async () => {
    const clock = new HeldClock();
    const held: Batch[] = [];
    const { url, batches } = await serve((batch) => void held.push(batch));
    const { publisher } = publisherOf(url, {}, clock);
    const limited = (from: number) => (event: Sent) =>
      (event.data as number) < from
        ? resultOf(event)
        : refusal(event, new SwarmError('RATE_LIMITED', 'slow', { retryAfterMs: 40 }));
    const calls = range(300).map((data) => publisher.publish('a', data));
    await vi.waitFor(() => expect(held).toHaveLength(3), PATIENCE);
    const firstOf = ({ events }: Batch): number => events[0]?.data as number;
    const [first, second, third] = held.toSorted((a, b) => firstOf(a) - firstOf(b));
    if (first === undefined || second === undefined || third === undefined) throw new Error('three requests');
    answer(first, limited(100));
    await isPaused(clock, 40);
    // The second is refused from its beginning, after the first is queued again.
    answer(second, limited(0));
    await vi.waitFor(() => expect(second.response.writableFinished).toBe(true), PATIENCE);
    answer(third);
    await Promise.all(calls.slice(256));
    await turns();
    const later = range(300).map((index) => publisher.publish('a', 300 + index));
    clock.advance(40);
    for (let count = 4; count <= 7; count += 1) {
      await vi.waitFor(() => expect(held.length).toBe(count), PATIENCE);
      await turns();
      // One at a time, as long as some of them wait.
      expect(held).toHaveLength(count);
      const last = held.at(-1);
      if (last !== undefined) answer(last);
    }
    await Promise.all([...calls, ...later]);
    const again = batches.slice(3).flatMap(({ events }) => events.map(({ data }) => data));
    expect(again).toEqual([...range(300).slice(100, 256), ...range(300).map((index) => 300 + index)]);
  });

  test.each(['FORBIDDEN', 'FENCED', 'INTERNAL'] as const)('is refused at once with %s', async (code) => {
    const { url, batches } = await serve((batch) =>
      refuse(batch, new SwarmError(code, 'because', { retryAfterMs: 5 })),
    );
    const { publisher } = publisherOf(url);
    const errors = await Promise.all([rejection(publisher.publish('a', 1)), rejection(publisher.publish('a', 2))]);
    expect(errors).toMatchObject([
      { code, retryAfterMs: 5 },
      { code, message: 'because' },
    ]);
    expect(batches).toHaveLength(1);
  });

  test('is given up in the end, with the id to publish it with again', async () => {
    const clock = new HeldClock();
    const again = new SwarmError('UNAVAILABLE', 'no store', { retryAfterMs: 40 });
    const { url } = await serve((batch) => refuse(batch, again));
    const { publisher } = publisherOf(url, { publishTimeoutMs: 60 }, clock);
    const id = crypto.randomUUID();
    const call = rejection(publisher.publish('a', 1, { id }));
    await isPaused(clock, 40);
    clock.advance(60);
    expect(await call).toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      details: { id },
      cause: { message: 'no store' },
    });
  });

  test('is given up when no answer comes', async () => {
    const clock = new HeldClock();
    const { url, batches } = await serve(() => {});
    const { publisher } = publisherOf(url, { publishTimeoutMs: 50 }, clock);
    const calls = range(3_000).map((number) => rejection(publisher.publish('a', number)));
    await vi.waitFor(() => expect(batches.length).toBeGreaterThan(0), PATIENCE);
    clock.advance(50);
    const errors = await Promise.all(calls);
    expect(errors.every((error) => error instanceof SwarmError && error.is('UNAVAILABLE') && error.details?.id)).toBe(
      true,
    );
    expect((errors[0] as SwarmError).message).toContain('unknown');
    expect((errors.at(-1) as SwarmError).message).toContain('could not be sent');
    expect(batches.length).toBeLessThanOrEqual(MAX_REQUESTS);
  });

  test('waits as long as a refusal asks for, and so do the others', async () => {
    const clock = new HeldClock();
    const { url, batches } = await serve((batch) => {
      if (batch.number === 1) refuse(batch, new SwarmError('RATE_LIMITED', 'slow', { retryAfterMs: 80 }));
      else answer(batch);
    });
    const { publisher } = publisherOf(url, {}, clock);
    const first = publisher.publish('a', 1);
    await isPaused(clock, 80);
    const second = publisher.publish('a', 2);
    clock.advance(79);
    await turns();
    expect(batches).toHaveLength(1);
    clock.advance(1);
    await Promise.all([first, second]);
    expect(batches.length).toBeLessThanOrEqual(3);
  });

  test('ends with its signal, before and after it is sent', async () => {
    const { url } = await serve(() => {});
    const { publisher } = publisherOf(url);
    const id = crypto.randomUUID();
    const reason = new Error('changed my mind');
    const signal = AbortSignal.abort(reason);
    expect(await rejection(publisher.publish('a', 1, { signal, id }))).toMatchObject({
      cause: reason,
      details: { id },
    });
    const controller = new AbortController();
    const call = rejection(publisher.publish('a', 1, { signal: controller.signal, id }));
    controller.abort(reason);
    expect(await call).toMatchObject({ code: 'UNAVAILABLE', cause: reason, details: { id } });
  });
});

describe('an open circuit', () => {
  const tripped = (retryAfterMs = 5): SwarmError =>
    new SwarmError('CIRCUIT_OPEN', "the agent's circuit is open: runaway", {
      details: { circuit: 'open', reason: 'runaway' },
      retryAfterMs,
    });

  test('makes publishing pause, and a small batch alone tries whether it is closed', async () => {
    const opening = MAX_REQUESTS;
    const trials = 5;
    let inFlight = 0;
    const together: number[] = [];
    const held: (() => void)[] = [];
    const { url, batches } = await serve((batch) => {
      inFlight += 1;
      together.push(inFlight);
      held.push(() => {
        inFlight -= 1;
        answer(batch, batch.number < opening + trials ? (event) => refusal(event, tripped()) : resultOf);
      });
      // The first requests meet here; what could travel beside a trial would have come by the end of the turn.
      if (batch.number >= opening) setImmediate(() => held.splice(0).forEach((go) => go()));
    });
    const { publisher } = publisherOf(url);
    const results = await Promise.all(range(1_000).map((number) => publisher.publish('a', number)));
    const known = new Set(batches.flatMap(({ events }) => events.map(({ id }) => id)));
    expect([...known].toSorted()).toEqual(results.map(({ id }) => id).toSorted());
    // What was on its way when it opened, then trials, one after another, of which the last is taken.
    expect(together.slice(opening, opening + trials)).toEqual(Array.from({ length: trials }, () => 1));
    const sizes = batches.map(({ events }) => events.length);
    expect(Math.max(...sizes.slice(opening, opening + trials))).toBeLessThan(Math.min(...sizes.slice(0, opening)));
    expect(sizes[opening + trials]).toBeGreaterThan(Math.max(...sizes.slice(opening, opening + trials)));
  });

  test('is not asked again before the time that it gives', async () => {
    const clock = new HeldClock();
    const { url, batches } = await serve((batch) => (batch.number === 1 ? refuse(batch, tripped(80)) : answer(batch)));
    const { publisher } = publisherOf(url, {}, clock);
    const first = publisher.publish('a', 1);
    await isPaused(clock, 80);
    const second = publisher.publish('a', 2);
    clock.advance(79);
    await turns();
    expect(batches).toHaveLength(1);
    clock.advance(1);
    await Promise.all([first, second]);
    expect(batches[1]?.events.map(({ data }) => data)).toEqual([1, 2]);
  });

  test('refuses in the end what has waited for it, sent or not, with the reason', async () => {
    const clock = new HeldClock();
    const held: Batch[] = [];
    // What comes after the pause, the trial, is not answered any more.
    let isOver = false;
    const { url } = await serve((batch) => {
      if (isOver) held.push(batch);
      else answer(batch, (event) => refusal(event, tripped(50)));
    });
    const options = { publishTimeoutMs: 400, publishBuffer: { maxEvents: 600 } };
    const { publisher } = publisherOf(url, options, clock);
    const ids = range(700).map(() => crypto.randomUUID());
    const calls = ids.map((id) => rejection(publisher.publish('a', 1, { id })));
    await isPaused(clock, 50);
    isOver = true;
    clock.advance(50);
    await vi.waitFor(() => expect(held).toHaveLength(1), PATIENCE);
    clock.advance(350);
    const errors = await Promise.all(calls);
    const onTrial = held.flatMap(({ events }) => events.map(({ id }) => id));
    const unknown = errors.filter((error) => error instanceof SwarmError && error.is('UNAVAILABLE'));
    expect(onTrial.length).toBeGreaterThan(0);
    expect(new Set(unknown.map(({ details }) => details?.id))).toEqual(new Set(onTrial));
    expect(errors.at(-1)).toMatchObject({
      code: 'CIRCUIT_OPEN',
      retryable: true,
      message: expect.stringMatching(/within 400 ms.*runaway/),
      details: { circuit: 'open', reason: 'runaway', id: ids.at(-1) },
    });
    expect(errors.filter((error) => error instanceof SwarmError && error.is('CIRCUIT_OPEN'))).toHaveLength(
      700 - onTrial.length,
    );
  });

  test('leaves the outcome unknown of what may have arrived before', async () => {
    const clock = new HeldClock();
    const { url } = await serve((batch) =>
      batch.number === 1 ? batch.request.socket.resetAndDestroy() : refuse(batch, tripped(299)),
    );
    const { publisher } = publisherOf(url, { publishTimeoutMs: 300 }, clock);
    const call = rejection(publisher.publish('a', 1));
    await isPaused(clock, 0);
    clock.advance(0);
    await isPaused(clock, 299);
    clock.advance(300);
    expect(await call).toMatchObject({
      code: 'UNAVAILABLE',
      details: { id: expect.any(String) },
      cause: { code: 'CIRCUIT_OPEN' },
    });
  });

  test('fills the buffer no further than it goes', async () => {
    let isOpen = true;
    const { url, batches } = await serve((batch) => (isOpen ? refuse(batch, tripped()) : answer(batch)));
    const { publisher } = publisherOf(url, { publishBuffer: { maxEvents: 2, whenFull: 'reject' } });
    const calls = [publisher.publish('a', 1), publisher.publish('a', 2)];
    await vi.waitFor(() => expect(batches.length).toBeGreaterThan(1), PATIENCE);
    expect(await rejection(publisher.publish('a', 3))).toMatchObject({ code: 'RATE_LIMITED' });
    isOpen = false;
    expect(await Promise.all(calls)).toHaveLength(2);
  });

  test('refuses at once where that is asked for', async () => {
    const { url, batches } = await serve((batch) => refuse(batch, tripped()));
    const { publisher } = publisherOf(url, { whenCircuitOpen: 'reject' });
    const errors = await Promise.all([rejection(publisher.publish('a', 1)), rejection(publisher.publish('a', 2))]);
    expect(errors).toMatchObject([
      { code: 'CIRCUIT_OPEN', retryAfterMs: 5, details: { reason: 'runaway' } },
      { code: 'CIRCUIT_OPEN' },
    ]);
    expect(batches).toHaveLength(1);
  });

  test('is waited for no longer than until an answer reports its end', async () => {
    const { url, batches } = await serve((batch) =>
      batch.number === 1 ? refuse(batch, tripped(3_600_000)) : answer(batch),
    );
    const { connection } = publisherOf(url);
    const circuit = new OwnCircuit();
    const publishing = new Publisher(connection, circuit).publish('a', 1);
    await vi.waitFor(() => expect(circuit.state).toBe('open'), PATIENCE);
    circuit.learn(circuit.begin(), 'half_open');
    expect(batches).toHaveLength(1);
    circuit.learn(circuit.begin(), 'closed');
    expect(await publishing).toMatchObject({ duplicate: false });
    expect(batches[1]?.events).toEqual(batches[0]?.events);
  });

  test('is emitted, and so is its end', async () => {
    const heard: unknown[] = [];
    const circuit = new OwnCircuit();
    circuit.onChange((...change) => heard.push(change));
    const { url } = await serve((batch) => (batch.number <= 2 ? refuse(batch, tripped()) : answer(batch)));
    const { connection } = publisherOf(url);
    await new Publisher(connection, circuit).publish('a', 1);
    expect(heard).toEqual([
      ['open', 'runaway'],
      ['closed', null],
    ]);
  });
});

describe('a batch that is too large for something on the way', () => {
  test('is split by its bytes, for good', async () => {
    const { url, batches } = await serve((batch) =>
      Number(batch.request.headers['content-length']) > 2_000
        ? void batch.response.writeHead(413).end()
        : answer(batch),
    );
    const { publisher } = publisherOf(url);
    const publishAll = () => Promise.all(range(40).map(() => publisher.publish('a', 'x'.repeat(200))));
    await publishAll();
    const before = batches.length;
    await publishAll();
    expect(batches.slice(before).every(({ response }) => response.statusCode === 200)).toBe(true);
    expect(await rejection(publisher.publish('a', 'x'.repeat(3_000)))).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  test('is split by its count where so many at once are not granted', async () => {
    const { url } = await serve((batch) =>
      batch.events.length > 10 ? refuse(batch, new SwarmError('RATE_LIMITED', 'too many')) : answer(batch),
    );
    const { publisher } = publisherOf(url);
    expect(await Promise.all(range(50).map((data) => publisher.publish('a', data)))).toHaveLength(50);
  });
});

describe('the buffer', () => {
  test('when it is full, refuses at once where that is asked for', async () => {
    const held: Batch[] = [];
    const { url } = await serve((batch) => void held.push(batch));
    const { publisher } = publisherOf(url, { publishBuffer: { maxEvents: 2, whenFull: 'reject' } });
    const calls = [publisher.publish('a', 1), publisher.publish('a', 2)];
    expect(await rejection(publisher.publish('a', 3))).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    await vi.waitFor(() => expect(held).toHaveLength(1), PATIENCE);
    for (const batch of held) answer(batch);
    await Promise.all(calls);
    void rejection(publisher.publish('a', 4));
    await vi.waitFor(() => expect(held).toHaveLength(2), PATIENCE);
  });

  test.each([
    ['count', { maxEvents: 3 }],
    ['bytes', { maxBytes: 300 }],
  ])('bounded by %s, makes calls wait for room, in their order', async (_, publishBuffer) => {
    const { url, batches } = await serve(answer);
    const { publisher } = publisherOf(url, { publishBuffer });
    const settled: number[] = [];
    await Promise.all(
      range(20).map(async (number) => {
        await publisher.publish('a', number);
        settled.push(number);
      }),
    );
    expect(settled).toEqual(range(20));
    expect(batches.flatMap(({ events }) => events.map(({ data }) => data))).toEqual(range(20));
    expect(batches.every(({ events }) => events.length <= 4)).toBe(true);
  });

  test('takes an event that is larger than all of it when it is alone', async () => {
    const { url } = await serve(answer);
    const { publisher } = publisherOf(url, { publishBuffer: { maxBytes: 10 } });
    expect(await Promise.all([publisher.publish('a', 'x'.repeat(100)), publisher.publish('a', 2)])).toHaveLength(2);
  });

  test('gives the room of one that was given up to the next', async () => {
    const { url, batches } = await serve((batch) => (batch.number === 1 ? undefined : answer(batch)));
    const { publisher } = publisherOf(url, { publishBuffer: { maxEvents: 1 } });
    const controller = new AbortController();
    const [first, second] = [
      rejection(publisher.publish('a', 1, { signal: controller.signal })),
      publisher.publish('a', 2),
    ];
    await vi.waitFor(() => expect(batches).toHaveLength(1), PATIENCE);
    controller.abort();
    await first;
    expect(await second).toMatchObject({ duplicate: false });
  });
});

test('events that were given up take no memory while the others wait', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const heapBytes = (): number => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const { url, batches } = await serve((batch) =>
    refuse(batch, new SwarmError('UNAVAILABLE', 'later', { retryAfterMs: 60_000 })),
  );
  const { publisher } = publisherOf(url, { publishTimeoutMs: Infinity, publishBuffer: { maxEvents: 3 } });
  const giveUp = async (data: unknown): Promise<void> => {
    const controller = new AbortController();
    const call = rejection(publisher.publish('a', data, { signal: controller.signal }));
    controller.abort();
    await call;
  };
  const patient = rejection(publisher.publish('a', 1));
  await vi.waitFor(() => expect(batches).toHaveLength(1), PATIENCE);
  const before = heapBytes();
  for (const number of range(200)) await giveUp(String(number).repeat(60_000));
  // And while there is no room.
  const others = range(3).map((number) => rejection(publisher.publish('a', number)));
  for (const number of range(200)) await giveUp(String(number).repeat(60_000));
  expect(heapBytes() - before).toBeLessThan(5_000_000);
  connections.at(-1)?.close(new SwarmError('UNAVAILABLE', 'closed'));
  await Promise.all([patient, ...others]);
});

describe('flush', () => {
  test('waits for what was called before, whatever becomes of it', async () => {
    const held: Batch[] = [];
    const { url } = await serve((batch) => void held.push(batch));
    const { publisher } = publisherOf(url);
    await publisher.flush();
    const refused = rejection(publisher.publish('a', 1));
    let isFlushed = false;
    const flushed = publisher.flush().then(() => (isFlushed = true));
    await vi.waitFor(() => expect(held).toHaveLength(1), PATIENCE);
    void rejection(publisher.publish('a', 2));
    await vi.waitFor(() => expect(held).toHaveLength(2), PATIENCE);
    expect(isFlushed).toBe(false);
    for (const batch of held.slice(0, 1)) refuse(batch, new SwarmError('FORBIDDEN', 'no'));
    await flushed;
    expect(await refused).toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('closing', () => {
  test('lets what was sent be answered, refuses the rest, and leaves no socket or timer', async () => {
    const leaks = trackLeaks();
    const held: Batch[] = [];
    const { url } = await serve((batch) => void held.push(batch));
    const { publisher, connection } = publisherOf(url, { publishBuffer: { maxEvents: 1 } });
    const sent = publisher.publish('a', 1);
    const waiting = rejection(publisher.publish('a', 2));
    await vi.waitFor(() => expect(held).toHaveLength(1), PATIENCE);
    connection.close(new SwarmError('UNAVAILABLE', 'closed'));
    expect(await waiting).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'closed',
      details: { id: expect.any(String) },
    });
    expect(await rejection(publisher.publish('a', 3))).toMatchObject({ message: 'closed' });
    for (const batch of held) answer(batch);
    expect(await sent).toMatchObject({ duplicate: false });
    await publisher.flush();
    await new Promise((resolve) => servers.pop()?.close(resolve));
    await leaks.check();
  });

  test('gives up on answers that do not come', async () => {
    const { url, batches } = await serve(() => {});
    const hasty: Clock = { ...impatient, schedule: (delayMs, run) => systemClock.schedule(Math.min(delayMs, 20), run) };
    const { publisher, connection } = publisherOf(url, { timeoutMs: Infinity, publishTimeoutMs: Infinity }, hasty);
    const sent = rejection(publisher.publish('a', 1));
    await vi.waitFor(() => expect(batches).toHaveLength(1), PATIENCE);
    connection.close(new SwarmError('UNAVAILABLE', 'closed'));
    expect(await sent).toMatchObject({ code: 'UNAVAILABLE', details: { id: expect.any(String) } });
  });

  test('rejects with FENCED for a fenced agent', async () => {
    const { publisher, connection } = publisherOf('http://127.0.0.1:1');
    const call = rejection(publisher.publish('a', 1));
    connection.close(new SwarmError('FENCED', 'a later incarnation has the name'));
    expect(await call).toMatchObject({ code: 'FENCED' });
  });
});

test('a token that was refused is renewed', async () => {
  const { url, batches } = await serve((batch) => {
    if (batch.request.headers.authorization === 'Bearer fresh') answer(batch);
    else refuse(batch, new SwarmError('UNAUTHENTICATED', 'unknown token'));
  });
  let token = 'stale';
  const renewing = (refused?: string): string => {
    if (refused !== undefined) token = 'fresh';
    return token;
  };
  const { publisher } = publisherOf(url, { token: renewing });
  expect(await publisher.publish('a', 1)).toMatchObject({ duplicate: false });
  expect(batches).toHaveLength(2);
  const { publisher: stale } = publisherOf(url, { token: 'stale' });
  expect(await rejection(stale.publish('a', 1))).toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('a fetch of the caller carries it all', async () => {
  const { url } = await serve(answer);
  const asked: string[] = [];
  const recording: typeof fetch = (input, init) => {
    asked.push(input instanceof Request ? input.url : input.toString());
    return fetch(input, init);
  };
  const { publisher } = publisherOf(url, { fetch: recording });
  await publisher.publish('a', 1);
  expect(asked).toEqual([`${url}/v1/events`]);
});
