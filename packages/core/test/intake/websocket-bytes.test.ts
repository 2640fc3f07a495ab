// Messages of a WebSocket count as bodies while they come in: a caller that fills its share is refused, and nothing of it remains.
import { RegisterResult } from '@hypercode/contracts';
import { once } from 'node:events';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';

const MIB = 1024 * 1024;
let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

async function agentToken(name: string): Promise<string> {
  const json = { name, role: 'worker', version: '1.0.0' };
  return RegisterResult.parse(await (await core.fetch('/v1/agents', { method: 'POST', json })).json()).token ?? '';
}

async function open(token: string): Promise<WebSocket> {
  const headers = { authorization: `Bearer ${token}` };
  const socket = new WebSocket(`${core.url.replace('http', 'ws')}/trpc`, { headers });
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

/** Sends a message, and resolves with what is received of it: the first answer, or the code with which the connection ends. */
async function outcomeOf(socket: WebSocket, text: string): Promise<string> {
  const settled = new AbortController();
  const first = (event: string) => once(socket, event, settled).then(([value]) => String(value));
  const outcome = Promise.any([first('message'), first('close')]).finally(() => settled.abort());
  socket.send(text);
  return outcome;
}

const whoami = (padding: number): string =>
  JSON.stringify({ id: 1, method: 'query', params: { path: 'whoami', input: {} } }) + ' '.repeat(padding);

test('unfinished messages of one caller are more than its share: the connection that goes beyond ends, and others work', async () => {
  const [greedy, other] = await Promise.all([agentToken('greedy'), agentToken('modest')]);
  const sockets = await Promise.all(Array.from({ length: 5 }, () => open(greedy)));
  const closed = Promise.race(sockets.map((socket) => once(socket, 'close')));
  for (const socket of sockets) socket.send('x'.repeat(4 * MIB), { fin: false });
  expect((await closed)[0]).toBe(1013);

  expect(await outcomeOf(await open(other), whoami(100_000))).toContain('"modest"');
  for (const socket of sockets) socket.terminate();
  await vi.waitFor(async () => {
    expect(await outcomeOf(await open(greedy), whoami(100_000))).toContain('"greedy"');
  }, 20_000);
});

test('a caller may send any number of messages one after the other', async () => {
  const socket = await open(await agentToken('steady'));
  for (let sent = 0; sent < 200; sent += 1) expect(await outcomeOf(socket, whoami(100_000))).toContain('"steady"');
});
