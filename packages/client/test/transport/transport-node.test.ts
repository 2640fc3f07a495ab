// The short way over kept connections: reuse, a connection that the other side has closed, and letting go.
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, type Socket } from 'node:net';
import { openTransport as chosenTransport } from '#transport';
import { trackLeaks, waitFor } from '@hypercode/testkit';
import { systemClock } from '@hypercode/clock';
import { afterEach, expect, test } from 'vitest';
import { bounded } from '../../src/transport/bounded.ts';
import { atEndOfTurn as inBrowsers } from '../../src/transport/transport-fetch.ts';
import { fetchTransport, type Transport } from '../../src/transport/transport.ts';
import { atEndOfTurn, openTransport } from '../../src/transport/transport-node.ts';

const servers: Server[] = [];
const transports: Transport[] = [];

afterEach(async () => {
  for (const transport of transports.splice(0)) transport.close();
  await Promise.all(servers.splice(0).map((server) => end(server)));
});

const end = (server: Server): Promise<unknown> =>
  new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });

async function serve(listener: RequestListener) {
  const sockets: Socket[] = [];
  const server = createServer(listener).on('connection', (socket: Socket) => sockets.push(socket));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/x?y=1`), sockets, server };
}

function open(): Transport {
  const transport = openTransport();
  transports.push(transport);
  return transport;
}

const POST = { method: 'POST', headers: {}, isRepeatable: true } as const;
const { signal } = new AbortController();
const post = (transport: Transport, url: URL, body = '{}') => transport.send({ ...POST, url, body, signal });

test('is what `#transport` means in Node.js', () => {
  expect(chosenTransport).toBe(openTransport);
});

test('sends the same as fetch does', async () => {
  const seen: unknown[] = [];
  const { url } = await serve((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += String(chunk)));
    request.on('end', () => {
      const { method, url: path, headers } = request;
      seen.push({
        method,
        path,
        text,
        type: headers['content-type'],
        length: headers['content-length'],
        x: headers['x-x'],
      });
      response.writeHead(418, { 'retry-after': '7' }).end('ja 🐝');
    });
  });
  const request = { ...POST, url, headers: { 'x-x': 'x' }, body: '{"text":"grüße"}', signal };
  const answers = [await open().send(request), await fetchTransport(fetch).send(request)];
  const head = {
    status: 418,
    contentType: null,
    retryAfter: '7',
    location: null,
    ignored: null,
    date: expect.any(String),
  };
  expect(answers[0]).toEqual({ ...head, text: 'ja 🐝' });
  expect(answers[1]).toEqual(answers[0]);
  expect(seen[0]).toEqual({
    method: 'POST',
    path: '/x?y=1',
    text: request.body,
    type: 'application/json',
    length: '18',
    x: 'x',
  });
  expect(seen[1]).toEqual(seen[0]);
});

test('keeps its connections, and opens another when one was closed meanwhile', async () => {
  let number = 0;
  const { url, sockets } = await serve((request, response) => {
    number += 1;
    // The second request meets a connection that ends without an answer.
    if (number === 2) request.socket.resetAndDestroy();
    else response.end(String(number));
  });
  const transport = open();
  expect(await post(transport, url)).toMatchObject({ text: '1' });
  expect(sockets).toHaveLength(1);
  expect(await post(transport, url)).toMatchObject({ text: '3' });
  expect(await post(transport, url)).toMatchObject({ text: '4' });
  expect(sockets).toHaveLength(2);
});

test('a request that must not come twice is not sent again after a reset', async () => {
  let number = 0;
  const { url } = await serve((request, response) => {
    number += 1;
    if (number === 2) request.socket.resetAndDestroy();
    else response.end();
  });
  const transport = open();
  await post(transport, url);
  const request = { ...POST, url, body: '{}', signal, isRepeatable: false };
  await expect(transport.send(request)).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(number).toBe(2);
});

test('the next requests use new connections after the idle ones were dropped', async () => {
  const { url, sockets } = await serve((_, response) => void response.end());
  const transport = open();
  await post(transport, url);
  transport.dropIdle();
  await post(transport, url);
  expect(sockets).toHaveLength(2);
});

test('a time-out on one connection ends the idle ones, so that the next request uses a new one', async () => {
  const held: ServerResponse[] = [];
  let isFrozen = false;
  const { url, sockets, server } = await serve((_, response) => {
    if (isFrozen) return;
    held.push(response);
    if (held.length >= 3) for (const one of held) one.end('together');
  });
  // Longer than the test may take.
  server.keepAliveTimeout = 600_000;
  const transport = open();
  await Promise.all([post(transport, url), post(transport, url), post(transport, url)]);
  expect(sockets).toHaveLength(3);
  isFrozen = true;
  const answer = bounded(systemClock, { timeoutMs: 50, signals: [] }, (timedOut) =>
    transport.send({ ...POST, url, body: '{}', signal: timedOut }),
  );
  await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await waitFor(() => sockets.every(({ destroyed }) => destroyed), { what: 'the end of the kept connections' });
  isFrozen = false;
  await post(transport, url);
  expect(sockets).toHaveLength(4);
});

test('an abort by the caller leaves the idle connections alone', async () => {
  const received = Promise.withResolvers<void>();
  let isFrozen = false;
  const { url, sockets } = await serve((_, response) => {
    if (isFrozen) received.resolve();
    else response.end('now');
  });
  const transport = open();
  await Promise.all([post(transport, url), post(transport, url)]);
  const { length } = sockets;
  isFrozen = true;
  const controller = new AbortController();
  const call = transport.send({ ...POST, url, body: '{}', signal: controller.signal });
  await received.promise;
  controller.abort();
  await expect(call).rejects.toThrow();
  isFrozen = false;
  await post(transport, url);
  expect(length).toBe(2);
  expect(sockets).toHaveLength(2);
});

test.each([
  ['Node.js', openTransport],
  ['browsers', () => fetchTransport(fetch)],
])('an answer is read as it comes, and one that is cut off is an error: %s', async (_, make) => {
  const responses: ServerResponse[] = [];
  const { url } = await serve((request, response) => {
    responses.push(response);
    response.writeHead(200, { 'content-type': 'text/plain', 'retry-after': '3' });
    response.write(`${request.method} ${String(request.headers['x-x'])}`);
  });
  const transport = make();
  transports.push(transport);
  const answer = await transport.open({ url, headers: { 'x-x': 'x' }, signal });
  expect(answer).toMatchObject({ status: 200, contentType: 'text/plain', retryAfter: '3' });
  const next = async () => String(Buffer.from((await answer.read()) ?? []));
  expect(await next()).toBe('GET x');
  responses[0]?.write('more');
  expect(await next()).toBe('more');
  responses[0]?.socket?.resetAndDestroy();
  await expect(answer.read()).rejects.toThrow();
});

test('an answer is opened on a connection of its own, which an abort ends', async () => {
  const { url, sockets } = await serve((_, response) => void response.write('begin'));
  const transport = open();
  const controller = new AbortController();
  const answers = [0, 1].map(() => transport.open({ url, headers: {}, signal: controller.signal }));
  for (const answer of await Promise.all(answers)) await answer.read();
  expect(sockets).toHaveLength(2);
  controller.abort();
  await waitFor(() => sockets.every(({ destroyed }) => destroyed), { what: 'the end of both connections' });
});

test('fails when a new connection breaks', async () => {
  const { url, sockets } = await serve((request) => request.socket.resetAndDestroy());
  await expect(post(open(), url)).rejects.toThrow();
  expect(sockets).toHaveLength(1);
});

test('an abort ends the request at once', async () => {
  const received = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const { url } = await serve((request) => {
    request.socket.on('close', gone.resolve);
    received.resolve();
  });
  const controller = new AbortController();
  const transport = open();
  const call = transport.send({ ...POST, url, body: '{}', signal: controller.signal });
  await received.promise;
  controller.abort();
  await expect(call).rejects.toThrow();
  await gone.promise;
  await expect(transport.send({ ...POST, url, body: '{}', signal: controller.signal })).rejects.toThrow();
});

test('closing lets go of idle connections, and of others when they have answered', async () => {
  const leaks = trackLeaks();
  let finish = (): void => {};
  const { url, sockets, server } = await serve((_, response) => {
    finish = () => response.end('late');
  });
  const transport = open();
  const call = post(transport, url);
  await waitFor(() => sockets.length === 1, { what: 'the request' });
  transport.close();
  await waitFor(
    () => {
      finish();
      return sockets.every(({ destroyed }) => destroyed);
    },
    { what: 'the end of the connection' },
  );
  expect(await call).toMatchObject({ text: 'late' });
  await end(server);
  await leaks.check();
});

test.each([
  ['Node.js', atEndOfTurn],
  ['browsers', inBrowsers],
])('the end of the turn in %s comes after all that was begun in it', async (_, wait) => {
  const order: string[] = [];
  const ended = new Promise<void>((resolve) =>
    wait(() => {
      order.push('end');
      resolve();
    }),
  );
  await Promise.resolve();
  await Promise.resolve();
  order.push('microtasks');
  await ended;
  expect(order).toEqual(['microtasks', 'end']);
});
