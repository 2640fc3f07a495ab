// What one caller may have open at a time, on every transport; and that what ends is no longer counted, however it ends.
import { RegisterResult } from '@hypercode/contracts';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { expectProblem, START_TIMEOUT_MS, startTestCore, type TestCore } from '../testing/core.ts';

let core: TestCore;

beforeAll(async () => {
  // Three streams, fifteen patterns.
  core = await startTestCore({ streamsMax: 3 });
}, START_TIMEOUT_MS);
afterAll(() => core.close());

async function join(name: string): Promise<string> {
  const json = { name, role: 'worker', version: '1.0.0' };
  const answer = await core.fetch('/v1/agents', { method: 'POST', token: core.joinToken, json });
  return RegisterResult.parse(await answer.json()).token ?? '';
}

const SUBSCRIBE = `input=${encodeURIComponent(JSON.stringify({ topics: ['plan.>'] }))}`;

/** Opens a stream, and gives what ends its connection. */
async function open(path: string, token: string): Promise<() => void> {
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  const answer = await core.fetch(path, { token, signal: ending.signal });
  expect(answer.status).toBe(200);
  const reader = answer.body?.getReader();
  // The refusal of a stream of tRPC is in it.
  expect(new TextDecoder().decode((await reader?.read())?.value)).not.toContain('error');
  return () => ending.abort();
}

async function openSocket(token: string): Promise<{ socket: WebSocket; received: string[] }> {
  const socket = new WebSocket(`${core.url.replace('http', 'ws')}/trpc`, {
    headers: { authorization: `Bearer ${token}` },
  });
  onTestFinished(() => socket.terminate());
  const received: string[] = [];
  socket.on('message', (data: Buffer) => received.push(data.toString()));
  await once(socket, 'open');
  return { socket, received };
}

const subscription = (id: number, topics = ['plan.>']) => ({
  id,
  method: 'subscription',
  params: { path: 'bus.subscribe', input: { topics } },
});

const streams = (count: number) => vi.waitFor(() => expect(core.openStreams()).toBe(count));

test('streams of all transports and of all tokens of an agent count together, and are free again when they end', async () => {
  const [token, further] = [await join('ada'), await join('ada')];
  const endRest = await open('/v1/events/stream?topics=plan.%3E', token);
  const endTrpc = await open(`/trpc/bus.subscribe?${SUBSCRIBE}`, token);
  const { socket, received } = await openSocket(token);
  socket.send(JSON.stringify(subscription(1)));
  await vi.waitFor(() => expect(received.join()).toContain('bookmark'));
  await streams(3);

  const refused = await core.fetch('/v1/agents/watch', { token: further });
  const problem = await expectProblem(refused, 'RATE_LIMITED');
  expect(problem).toMatchObject({ details: { limit: 'streams', max: 3 }, retryAfterMs: expect.any(Number) });
  const overTrpc = await core.fetch(`/trpc/bus.subscribe?${SUBSCRIBE}`, { token: further });
  expect(await overTrpc.text()).toContain('"limit":"streams"');
  socket.send(JSON.stringify(subscription(2)));
  await vi.waitFor(() => expect(received.join()).toContain('"limit":"streams"'));
  await streams(3);

  // Another agent, and an operator, have their own.
  const endOther = await open('/v1/agents/watch', await join('eve'));
  const endViewers = await Promise.all(Array.from({ length: 15 }, () => open('/v1/agents/watch', core.viewerToken)));
  await expectProblem(await core.fetch('/v1/agents/watch', { token: core.viewerToken }), 'RATE_LIMITED');
  for (const end of [endOther, ...endViewers]) end();
  await streams(3);

  socket.send(JSON.stringify({ id: 1, method: 'subscription.stop' }));
  await streams(2);
  socket.send(JSON.stringify(subscription(3)));
  await streams(3);
  socket.terminate();
  endRest();
  endTrpc();
  await streams(0);
});

test('topic patterns count over all streams, and streams that are refused for them count nothing', async () => {
  const token = await join('ida');
  const patterns = (count: number) => Array.from({ length: count }, (_, index) => `plan.${index}`);
  const { socket, received } = await openSocket(token);
  socket.send(JSON.stringify(subscription(1, patterns(10))));
  socket.send(JSON.stringify(subscription(2, patterns(6))));
  await vi.waitFor(() => expect(received.join()).toContain('"limit":"patterns"'));
  await streams(1);
  // Refused by the policy.
  socket.send(JSON.stringify(subscription(3, ['secret.>'])));
  await vi.waitFor(() => expect(received.join()).toContain('ACL_DENIED'));
  await streams(1);
  socket.send(JSON.stringify(subscription(4, patterns(5))));
  await streams(2);
  await core.fetch('/v1/agents/ida', { method: 'DELETE' });
  await streams(0);
});

test('calls in flight are limited, waiting claims among them, and are free again when their connection ends', async () => {
  const token = await join('max');
  const ending = new AbortController();
  const claims = Array.from({ length: 64 }, () =>
    core
      .fetch('/v1/groups/max/claim', {
        method: 'POST',
        token,
        signal: ending.signal,
        json: { topics: ['plan.>'], waitMs: 30_000 },
      })
      .catch(() => null),
  );
  await vi.waitFor(() => expect(core.openCalls()).toBe(64));
  const problem = await expectProblem(await core.fetch('/v1/agents/max', { token }), 'RATE_LIMITED');
  expect(problem).toMatchObject({ details: { limit: 'calls', max: 64 }, retryAfterMs: expect.any(Number) });
  const { socket, received } = await openSocket(token);
  socket.send(JSON.stringify({ id: 1, method: 'query', params: { path: 'policy.get', input: {} } }));
  await vi.waitFor(() => expect(received.join()).toContain('"limit":"calls"'));
  ending.abort();
  await Promise.all(claims);
  await vi.waitFor(() => expect(core.openCalls()).toBe(0));
  expect((await core.fetch('/v1/agents/max', { token })).status).toBe(200);
  await vi.waitFor(() => expect(core.openCalls()).toBe(0));
});

test('a core that drains counts nothing in the end', async () => {
  const other = await startTestCore({ streamsMax: 3 });
  const stream = await other.fetch('/v1/agents/watch', { token: other.viewerToken });
  const claim = other.fetch('/v1/groups/g/claim', { method: 'POST', json: { topics: ['a.>'], waitMs: 30_000 } });
  await vi.waitFor(() => expect([other.openStreams(), other.openCalls()]).toEqual([1, 1]));
  await other.close();
  await Promise.all([stream.text(), claim]);
  expect([other.openStreams(), other.openCalls(), other.answerBytes()]).toEqual([0, 0, 0]);
});
