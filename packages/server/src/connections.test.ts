// Connections whose peer does not read, streams on which nothing is written, and connections without a request.
import { HeldClock } from '@hypercode/clock/testing';
import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Connections } from './connections.ts';

/** More than the buffers of two sockets take. */
const MUCH = Buffer.alloc(64 * 1024 * 1024);

async function serve(listener: RequestListener) {
  const clock = new HeldClock();
  const connections = new Connections(clock);
  const server = createServer(listener);
  connections.track(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clients: Socket[] = [];
  onTestFinished(async () => {
    for (const client of clients) client.destroy();
    connections.close();
    server.close();
    await once(server, 'close');
    expect(clock.armed).toBe(0);
  });
  /** A client that reads nothing until it is resumed. */
  const request = (): Socket => {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
    client.on('error', () => {});
    clients.push(client);
    client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    return client;
  };
  return { clock, connections, request, server };
}

/** Answers with more than the client takes; resolves when the client takes no more. */
async function stuckAnswer({ hasToken = true } = {}) {
  const arrived = Promise.withResolvers<ServerResponse>();
  const served = await serve((_request, response) => {
    response.write(MUCH);
    arrived.resolve(response);
  });
  const client = served.request();
  const response = await arrived.promise;
  const { socket } = response;
  if (socket === null) throw new Error('the answer has no connection');
  if (hasToken) served.connections.markAuthenticated(socket);
  await settled(socket);
  return { ...served, client, response, socket };
}

/** Waits until the system takes no more. */
async function settled(socket: Socket): Promise<void> {
  let before = -1;
  await vi.waitFor(() => {
    const { writeQueueSize = 0 } = (socket as { _handle?: { writeQueueSize?: number } })._handle ?? {};
    const isStill = writeQueueSize === before;
    before = writeQueueSize;
    expect(isStill).toBe(true);
  });
}

test('a connection that takes nothing for 30 s is ended', async () => {
  const { clock, socket } = await stuckAnswer();
  await clock.advanceThrough(29_000);
  expect(socket.destroyed).toBe(false);
  await clock.advanceThrough(2000);
  expect(socket.destroyed).toBe(true);
});

test('a connection on which no valid token was sent is ended when it takes nothing for 5 s', async () => {
  const { clock, socket } = await stuckAnswer({ hasToken: false });
  await clock.advanceThrough(4000);
  expect(socket.destroyed).toBe(false);
  await clock.advanceThrough(2000);
  expect(socket.destroyed).toBe(true);
});

test('a connection with a lower limit is ended after that, and no later limit raises it', async () => {
  const { clock, socket, connections } = await stuckAnswer();
  connections.limitStall(socket, 4000);
  connections.limitStall(socket, 9000);
  await clock.advanceThrough(3000);
  expect(socket.destroyed).toBe(false);
  await clock.advanceThrough(2000);
  expect(socket.destroyed).toBe(true);
});

test('a connection is given its limit from when it takes nothing, however short that is', async () => {
  const { clock, socket, connections } = await stuckAnswer();
  connections.limitStall(socket, 100);
  await clock.advanceThrough(1000);
  expect(socket.destroyed).toBe(false);
  await clock.advanceThrough(1000);
  expect(socket.destroyed).toBe(true);
});

test('a connection that reads a little now and then is not ended', async () => {
  const { clock, socket, client } = await stuckAnswer();
  for (let i = 0; i < 5; i += 1) {
    await clock.advanceThrough(25_000);
    const taken = once(client, 'readable');
    client.read(0);
    await taken;
    // A window of the size of the buffers has to open before the server's side moves.
    for (let read = 0; read < 8 * 1024 * 1024;) {
      const chunk = client.read() as Buffer | null;
      if (chunk === null) await once(client, 'readable');
      else read += chunk.length;
    }
    await settled(socket);
  }
  expect(socket.destroyed).toBe(false);
});

test('the time for which the process itself was stopped does not count', async () => {
  const { clock, socket } = await stuckAnswer();
  await clock.advanceThrough(5000);
  clock.stopped = true;
  await clock.advanceThrough(600_000);
  clock.stopped = false;
  await clock.advanceThrough(1000);
  expect(socket.destroyed).toBe(false);
});

test('a stream on which nothing was written for 15 s is written a sign, and others are not', async () => {
  const arrived = Promise.withResolvers<ServerResponse>();
  const { clock, connections, request } = await serve((incoming, response) => {
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200).write('begin');
    connections.markAuthenticated(incoming.socket);
    connections.keepAlive(response, ' sign');
    arrived.resolve(response);
  });
  const client = request();
  let text = '';
  client.on('data', (chunk) => (text += String(chunk))).resume();
  const response = await arrived.promise;
  await vi.waitFor(() => expect(text).toMatch(/begin$/));
  await clock.advanceThrough(10_000);
  response.write(' value');
  await clock.advanceThrough(10_000);
  await vi.waitFor(() => expect(text).toMatch(/begin value$/));
  await clock.advanceThrough(6000);
  await vi.waitFor(() => expect(text).toMatch(/begin value sign$/));
  response.end();
  await once(response, 'close');
  await clock.advanceThrough(60_000);
  expect(text).toMatch(/begin value sign$/);
});

test('a connection without a request is ended when the server drains, and one with a request is not', async () => {
  const arrived = Promise.withResolvers<ServerResponse>();
  const { connections, request, server } = await serve((_request, response) => arrived.resolve(response));
  request();
  const response = await arrived.promise;
  const silent = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(server, 'connection');
  connections.endSilent();
  await once(silent, 'close');
  expect(response.socket?.destroyed).toBe(false);
});

/** Sends a request, reads the answer, and resolves when the server's side of the connection is idle. */
async function answered() {
  const arrived = Promise.withResolvers<Socket>();
  const served = await serve((request, response) => {
    response.once('finish', () => arrived.resolve(request.socket)).end('answer');
  });
  const client = served.request().resume();
  return { ...served, client, socket: await arrived.promise };
}

test('a connection that sends empty lines and no next request is ended 30 s after its last answer', async () => {
  const { clock, client, socket } = await answered();
  const closed = new Promise((resolve) => client.once('close', resolve));
  for (let second = 0; second < 30; second += 1) {
    expect(socket.destroyed).toBe(false);
    const received = once(socket, 'data');
    client.write('\r\n');
    await received;
    await clock.advanceThrough(1000);
  }
  await clock.advanceThrough(2000);
  expect(socket.destroyed).toBe(true);
  await closed;
});

test('a connection that sends requests stays', async () => {
  const { clock, client, server, socket } = await answered();
  for (let requests = 0; requests < 5; requests += 1) {
    await clock.advanceThrough(20_000);
    const arrived = once(server, 'request');
    client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    const [, response] = (await arrived) as [unknown, ServerResponse];
    await vi.waitFor(() => expect(response.writableFinished).toBe(true));
  }
  expect(socket.destroyed).toBe(false);
});

test('a connection that is upgraded after an answer stays', async () => {
  const { clock, client, server, socket } = await answered();
  await clock.advanceThrough(20_000);
  const upgraded = once(server, 'upgrade');
  // Node.js releases it.
  socket.on('error', () => socket.destroy());
  client.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
  await upgraded;
  await clock.advanceThrough(60_000);
  expect(socket.destroyed).toBe(false);
});
