// Faults of the transport, from plain sockets that speak as much of tRPC's event stream as each test needs.
import { type AddressInfo } from 'node:net';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { SwarmError } from '@hypercode/contracts';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '@hypercode/clock';
import { HeldClock } from '@hypercode/clock/testing';
import type { TokenSource } from '../../src/transport/client-options.ts';
import { type Connection, openConnection, postJson } from '../../src/transport/connection.ts';
import { resumableStream, type StreamOptions } from '../../src/transport/resumable-stream.ts';
import { watchAgents } from '../../src/watching/watch.ts';

type Handler = (response: ServerResponse, request: IncomingMessage, attempt: number) => void;

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

/** Waits without jitter are no waits, so that reconnecting costs no time. */
const impatient = { ...systemClock, random: () => 0 };

async function serve(handler: Handler): Promise<string> {
  let attempt = 0;
  const server = createServer((request, response) => {
    attempt += 1;
    handler(response, request, attempt);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function connect(url: string, token: TokenSource = 'secret'): Connection {
  const connection = openConnection({ url, token }, impatient);
  connections.push(connection);
  return connection;
}

const request = {
  path: 'some.stream',
  input: { topics: ['a.*'] },
  decode: (json: unknown) => json,
  resumesAfter: () => true,
};
const openStream = (url: string, options?: StreamOptions) => resumableStream(connect(url), request, options);

/** Reads `count` values and leaves. */
async function take(stream: AsyncIterable<{ value: unknown }>, count: number): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const { value } of stream) {
    values.push(value);
    if (values.length === count) break;
  }
  return values;
}

const open = (response: ServerResponse, reconnectAfterInactivityMs = 10_000): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(`event: connected\ndata: ${JSON.stringify({ reconnectAfterInactivityMs })}\n\n\n`);
};
const frame = (id: number | string, value: unknown = id): string => `data: ${JSON.stringify(value)}\nid: ${id}\n\n\n`;
const refusal = (error: SwarmError): string => {
  const { message, httpStatus } = error;
  const shape = { message, code: -32_000, data: { code: 'ANY', httpStatus, path: 'some.stream', swarm: error } };
  return `event: serialized-error\ndata: ${JSON.stringify(shape)}\n\n\n`;
};

describe('reading', () => {
  test('asks as tRPC does, with the token', async () => {
    const seen: IncomingMessage[] = [];
    const url = await serve((response, incoming) => {
      seen.push(incoming);
      open(response);
      response.write(frame(1));
    });
    await take(openStream(url), 1);
    expect(seen[0]?.method).toBe('GET');
    expect(new URL(seen[0]?.url ?? '', url).pathname).toBe('/trpc/some.stream');
    expect(JSON.parse(new URL(seen[0]?.url ?? '', url).searchParams.get('input') ?? '')).toEqual(request.input);
    expect(seen[0]?.headers).toMatchObject({ authorization: 'Bearer secret', accept: 'text/event-stream' });
    expect(seen[0]?.headers).not.toHaveProperty('last-event-id');
  });

  test('by property: the bytes may arrive in any pieces', async () => {
    let pieces: Buffer[] = [];
    const url = await serve((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
      response.flushHeaders();
      // Each piece in a turn of its own, so that it is a chunk of its own.
      const send = (index: number): void => {
        const piece = pieces[index];
        if (piece === undefined) return;
        response.write(piece);
        setImmediate(send, index + 1);
      };
      send(0);
    });
    const values = [{ text: 'grüße 🐝\n\n' }, 'x'.repeat(300), ['\r\n', null, 1.5]];
    const events = ['event: ping\ndata: \n\n\n', ': remark\n\n', ...values.map((value, index) => frame(index, value))];
    const bytes = Buffer.from(events.join(''));
    const connection = connect(url);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: bytes.length }), { maxLength: 40 }), async (cuts) => {
        const ends = [...cuts, bytes.length].toSorted((a, b) => a - b);
        pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end)).filter(({ length }) => length > 0);
        expect(await take(resumableStream(connection, request), values.length)).toEqual(values);
      }),
      { numRuns: 40 },
    );
  });

  test('goes at the pace of the reader', async () => {
    let written = 0;
    let stalled = false;
    const padding = 'x'.repeat(64 * 1024);
    const url = await serve((response) => {
      open(response);
      const fill = (): void => {
        stalled = false;
        while (written < 2_000) {
          written += 1;
          if (!response.write(frame(written, { number: written, padding }))) {
            stalled = true;
            response.once('drain', fill);
            return;
          }
        }
      };
      fill();
    });
    const stream = openStream(url);
    await stream.next();
    // The sockets' buffers take some megabytes; after that, the server can not go on.
    let before = -1;
    await vi.waitFor(
      () => {
        const still = stalled && written === before;
        before = written;
        expect(still).toBe(true);
      },
      { timeout: 10_000, interval: 200 },
    );
    expect(written).toBeLessThan(1_000);
    const rest = await take(stream, 1_500);
    expect(rest.map((value) => (value as { number: number }).number)).toEqual(rest.map((_, index) => index + 2));
  });

  test('what the decoder leaves out is skipped', async () => {
    const url = await serve((response) => {
      open(response);
      response.write(frame(1) + frame(2) + frame(3));
    });
    const odd = { ...request, decode: (json: unknown) => (json === 2 ? undefined : json) };
    expect(await take(resumableStream(connect(url), odd), 2)).toEqual([1, 3]);
  });
});

test('a watch skips values of a type that it does not know', async () => {
  const url = await serve((response) => {
    open(response);
    response.write(frame(1, { type: 'weather', sky: 'blue' }) + frame(2, { type: 'bookmark', revision: 2 }));
  });
  const interruptions: SwarmError[] = [];
  const watch = watchAgents(connect(url), { onInterruption: (error) => interruptions.push(error) });
  expect(await watch.next()).toMatchObject({ value: { type: 'bookmark', revision: 2 } });
  expect(interruptions).toEqual([]);
  await watch.return?.();
});

test('a stream for which the core names no limit may be silent for 40 s', async () => {
  const url = await serve((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`event: connected\ndata: {}\n\n\n${frame(1)}`);
  });
  const clock = new HeldClock();
  const connection = openConnection({ url, token: 'secret' }, clock);
  connections.push(connection);
  const interruptions: string[] = [];
  const stream = resumableStream(connection, request, { onInterruption: (error) => interruptions.push(error.message) });
  await stream.next();
  const waiting = stream.next();
  await vi.waitFor(() => expect(clock.nextInMs).toBe(40_000));
  clock.advance(39_999);
  expect(interruptions).toEqual([]);
  clock.advance(1);
  await vi.waitFor(() => expect(interruptions).toEqual(['the core sent nothing for 40000 ms']));
  await stream.return?.();
  await waiting;
});

describe('resuming', () => {
  const faults: Record<string, (response: ServerResponse) => void> = {
    'the end of the stream': (response) => response.end(),
    'a connection reset': (response) => response.socket?.resetAndDestroy(),
    'half a frame': (response) => response.write('data: {"hal', () => response.socket?.destroy()),
    'half a frame and an orderly end': (response) => response.end('data: 99\nid: 99'),
    'a frame that is not JSON': (response) => response.write('data: {nonsense\nid: 99\n\n'),
    silence: () => {},
    'a refusal that a retry can help': (response) => response.write(refusal(new SwarmError('UNAVAILABLE', 'no store'))),
  };

  test.each(Object.keys(faults))('after %s, goes on after the last value', async (name) => {
    const asked: unknown[] = [];
    const url = await serve((response, incoming, attempt) => {
      asked.push(incoming.headers['last-event-id']);
      open(response, name === 'silence' ? 50 : 10_000);
      if (attempt === 1) response.write(frame(1) + frame(2), () => faults[name]?.(response));
      else response.write(frame(3));
    });
    const seen: number[] = [];
    const interruptions: SwarmError[] = [];
    for await (const { value, connection } of openStream(url, {
      onInterruption: (error) => interruptions.push(error),
    })) {
      seen.push(connection);
      if (value === 3) break;
    }
    expect(seen).toEqual([1, 1, 2]);
    expect(asked).toEqual([undefined, '2']);
    expect(interruptions).toHaveLength(1);
    expect(interruptions[0]).toBeInstanceOf(SwarmError);
    expect(interruptions[0]?.code).toBe('UNAVAILABLE');
  });

  test('a stream that brought nothing since a call timed out is resumed once a call is answered', async () => {
    const asked: unknown[] = [];
    const url = await serve((response, incoming, attempt) => {
      if (incoming.method === 'POST') {
        // The first call gets no answer.
        if (attempt > 2) response.end('{}');
        return;
      }
      asked.push(incoming.headers['last-event-id']);
      open(response, 600_000);
      response.write(frame(attempt));
    });
    const connection = connect(url);
    const stream = resumableStream(connection, request);
    await stream.next();
    const waiting = stream.next();
    const post = () =>
      postJson(connection, connection.endpoint('call'), '{}', { token: 'secret', timeoutMs: 100, signals: [] });
    await expect(post()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(asked).toEqual([undefined]);
    await post();
    expect(await waiting).toMatchObject({ value: { value: 4, connection: 2 } });
    expect(asked).toEqual([undefined, '1']);
    await stream.return?.();
  });

  test('a stream that brought something since a call timed out goes on', async () => {
    let stream: ServerResponse | undefined;
    const url = await serve((response, incoming, attempt) => {
      if (incoming.method === 'GET') {
        open((stream = response), 600_000);
        response.write(frame(1));
      } else if (attempt === 2) stream?.write(frame(2));
      else response.end('{}', () => stream?.write(frame(3)));
    });
    const connection = connect(url);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { value, connection: number } of resumableStream(connection, request)) {
        seen.push(number);
        if (value === 3) return;
      }
    })();
    await vi.waitFor(() => expect(seen).toEqual([1]));
    const post = () =>
      postJson(connection, connection.endpoint('call'), '{}', { token: 'secret', timeoutMs: 100, signals: [] });
    await expect(post()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await post();
    await reading;
    expect(seen).toEqual([1, 1, 1]);
  });

  const answers: Record<string, Handler> = {
    'status 503 from a proxy': (response) =>
      response.writeHead(503, { 'content-type': 'text/html' }).end('<h1>no</h1>'),
    'a page where the stream should be': (response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('hi'),
    'an empty answer': (response) => response.writeHead(204).end(),
    'a reset before the answer': (response) => response.socket?.resetAndDestroy(),
    'garbage instead of HTTP': (response) => response.socket?.end('\0\0 what?\r\n\r\n'),
  };

  test.each(Object.keys(answers))('%s is tried again', async (name) => {
    const url = await serve((response, incoming, attempt) => {
      if (attempt <= 3) return answers[name]?.(response, incoming, attempt);
      open(response);
      response.write(frame(1));
    });
    expect(await take(openStream(url), 1)).toEqual([1]);
  });

  test('waits as long as a refusal asks for', async () => {
    const url = await serve((response, _, attempt) => {
      open(response);
      if (attempt === 1) response.write(refusal(new SwarmError('RATE_LIMITED', 'slow down', { retryAfterMs: 80 })));
      else response.write(frame(1));
    });
    const waits: [string, number][] = [];
    const started = performance.now();
    await take(openStream(url, { onInterruption: (error, inMs) => waits.push([error.code, inMs]) }), 1);
    expect(waits).toEqual([['RATE_LIMITED', 80]]);
    expect(performance.now() - started).toBeGreaterThan(75);
  });

  test('backs off while nothing comes, and anew after a value', async () => {
    const url = await serve((response, _, attempt) => {
      open(response);
      if (attempt === 4) response.write(frame(1));
      response.end();
    });
    const waits: number[] = [];
    const clock = { ...systemClock, random: () => 0.01 };
    const connection = openConnection({ url, token: 'secret' }, clock);
    connections.push(connection);
    const controller = new AbortController();
    const onInterruption = (_: SwarmError, inMs: number): void => {
      waits.push(inMs);
      if (waits.length === 5) controller.abort();
    };
    for await (const _ of resumableStream(connection, request, { signal: controller.signal, onInterruption }));
    expect(waits).toEqual([1, 2, 4, 1, 2]);
  });

  test('a value without an id leaves the last one in place', async () => {
    const asked: unknown[] = [];
    const url = await serve((response, incoming, attempt) => {
      asked.push(incoming.headers['last-event-id']);
      open(response);
      if (attempt === 1) response.end(`${frame(7)}data: "loose"\n\ndata: "loose"\nid: \n\n`);
      else response.write(frame(8));
    });
    expect(await take(openStream(url), 4)).toEqual([7, 'loose', 'loose', 8]);
    expect(asked).toEqual([undefined, '7']);
  });
});

describe('ending', () => {
  test.each(['UNAUTHENTICATED', 'FORBIDDEN', 'FENCED', 'INVALID_INPUT'] as const)('%s is thrown', async (code) => {
    const url = await serve((response) => {
      open(response);
      response.write(frame(1) + refusal(new SwarmError(code, 'because')));
    });
    const stream = openStream(url);
    expect(await stream.next()).toMatchObject({ value: { value: 1 } });
    await expect(stream.next()).rejects.toMatchObject({ name: 'SwarmError', code, message: 'because' });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test('a refusal in an ordinary answer is thrown, too', async () => {
    const url = await serve((response) => {
      const problem = {
        type: 'about:blank',
        title: 'no',
        status: 403,
        code: 'FORBIDDEN',
        detail: 'not yours',
        retryable: false,
      };
      response.writeHead(403, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
    });
    await expect(openStream(url).next()).rejects.toMatchObject({ code: 'FORBIDDEN', message: 'not yours' });
  });

  test('`return` ends the loop', async () => {
    const url = await serve((response) => {
      open(response);
      response.write(`${frame(1)}event: return\ndata: \n\n\n`);
    });
    expect(await take(openStream(url), 9)).toEqual([1]);
  });

  const closings: Record<string, (stream: AsyncIterableIterator<unknown>, abort: () => void) => unknown> = {
    'leaving the loop': (stream) => stream.return?.(),
    'the signal': (_, abort) => abort(),
    'closing the client': () => connections.at(-1)?.close(new SwarmError('UNAVAILABLE', 'closed')),
  };

  test.each(Object.keys(closings))('%s closes the connection at once and ends what waits', async (name) => {
    const closed = Promise.withResolvers<void>();
    const url = await serve((response) => {
      response.on('close', closed.resolve);
      open(response);
      response.write(frame(1));
    });
    const controller = new AbortController();
    const stream = openStream(url, { signal: controller.signal });
    await stream.next();
    const waiting = stream.next();
    await closings[name]?.(stream, () => controller.abort());
    expect(await waiting).toEqual({ done: true, value: undefined });
    await closed.promise;
  });

  test('an agent that is fenced ends its streams with that', async () => {
    const url = await serve((response) => open(response));
    const waiting = openStream(url).next();
    connections.at(-1)?.close(new SwarmError('FENCED', 'a later incarnation has the name'));
    await expect(waiting).rejects.toMatchObject({ code: 'FENCED' });
  });

  test('nothing is asked for when the signal was aborted before', async () => {
    const asked = vi.fn<() => void>();
    const url = await serve(asked);
    expect(await take(openStream(url, { signal: AbortSignal.abort() }), 1)).toEqual([]);
    expect(asked).not.toHaveBeenCalled();
  });
});

describe('a token that was refused', () => {
  const guarded: Handler = (response, incoming) => {
    open(response);
    const isFresh = incoming.headers.authorization === 'Bearer fresh';
    response.write(isFresh ? frame(1) : refusal(new SwarmError('UNAUTHENTICATED', 'unknown token')));
  };

  test('is renewed by its function', async () => {
    const refused: unknown[] = [];
    let token = 'stale';
    const source = (known?: string): string => {
      if (known !== undefined) {
        refused.push(known);
        token = 'fresh';
      }
      return token;
    };
    const connection = connect(await serve(guarded), source);
    expect(await take(resumableStream(connection, request), 1)).toEqual([1]);
    expect(refused).toEqual(['stale']);
  });

  test('and not renewed is thrown', async () => {
    const connection = connect(await serve(guarded), () => 'stale');
    await expect(resumableStream(connection, request).next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});
