// A WebSocket makes no call before it has named a valid token, and is closed when it does not in time.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';

let core: TestCore;
const sockets: WebSocket[] = [];
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.terminate();
});

async function open(): Promise<{ socket: WebSocket; messages: string[]; closed: Promise<unknown[]> }> {
  const socket = new WebSocket(`${core.url.replace('http', 'ws')}/trpc?connectionParams=1`);
  sockets.push(socket);
  const messages: string[] = [];
  socket.on('message', (data: Buffer) => messages.push(data.toString('utf8')));
  const closed = once(socket, 'close');
  await once(socket, 'open');
  return { socket, messages, closed };
}

const call = (id: number, input: object = {}) => ({
  id,
  method: 'query',
  params: { path: 'registry.query', input: { namespace: core.namespace, ...input } },
});
const params = (token: string | null) =>
  JSON.stringify({ method: 'connectionParams', data: token === null ? null : { token } });

test('one that names no token is closed', async () => {
  const { closed } = await open();
  expect((await closed)[0]).toBe(1008);
});

test('one that sends anything but a token at first makes no call', async () => {
  const { socket, messages, closed } = await open();
  socket.send(JSON.stringify(call(1)));
  socket.send(JSON.stringify(call(2)));
  expect((await closed)[0]).toBe(1008);
  expect(messages).toHaveLength(1);
  expect(messages[0]).toContain('UNAUTHENTICATED');
});

test.each([
  ['an unknown token', 'unknown'],
  ['no token', null],
])('one that names %s is refused for each call, and closed', async (_case, token) => {
  const { socket, messages, closed } = await open();
  socket.send(params(token));
  socket.send(JSON.stringify([call(1), call(2)]));
  await closed;
  expect(messages.map((text) => JSON.parse(text) as object)).toMatchObject(
    [1, 2].map((id) => ({ id, error: { data: { swarm: { code: 'UNAUTHENTICATED' } } } })),
  );
});

describe('what comes before a valid token', () => {
  test.each([
    [
      'a large first message',
      (socket: WebSocket) => socket.send(`{"method":"connectionParams","data":{"a":"${'x'.repeat(5000)}"}}`),
    ],
    ['a message that never ends', (socket: WebSocket) => socket.send('x'.repeat(5000), { fin: false })],
    [
      'a large message after a token that is none',
      (socket: WebSocket) => {
        socket.send(params('unknown'));
        socket.send(JSON.stringify(Array.from({ length: 100 }, (_, id) => call(id))));
      },
    ],
  ])('%s ends the connection', async (_case, send) => {
    const { socket, messages, closed } = await open();
    send(socket);
    await closed;
    expect(messages).toEqual([]);
  });
});

test('calls that come together with a valid token are all answered, in order, however large they are', async () => {
  const { socket, messages } = await open();
  const { namespace } = core;
  const input = { namespace, kind: 'viewer', name: `unknown-${Date.now()}` } as const;
  const token = await core.registry.tokens.create(input, { name: 'test' });
  // One write, so that they arrive together.
  socket.send('PING');
  socket.send(params(token.token));
  for (let id = 1; id <= 3; id += 1) socket.send(JSON.stringify(call(id, { text: 'x'.repeat(200) })));
  socket.send(JSON.stringify(Array.from({ length: 300 }, (_, index) => call(4 + index))));
  while (messages.length < 303) await once(socket, 'message');
  expect(new Set(messages.map((text) => (JSON.parse(text) as { id: number }).id)).size).toBe(303);
  expect(messages.some((text) => text.includes('"error"'))).toBe(false);
});

test('an upgrade with the header needs no message', async () => {
  const address = `${core.url.replace('http', 'ws')}/trpc`;
  const socket = new WebSocket(address, { headers: { authorization: `Bearer ${core.adminToken}` } });
  sockets.push(socket);
  await once(socket, 'open');
  socket.send(JSON.stringify(call(1)));
  expect(String((await once(socket, 'message'))[0])).toContain('"agents":[]');

  const refused = new WebSocket(address).on('error', () => undefined);
  const [, answer] = (await once(refused, 'unexpected-response')) as [unknown, IncomingMessage];
  expect(answer.statusCode).toBe(401);
  refused.terminate();
});
