// What may wait to be sent to one caller: the answers of a batch, of pipelined requests, of a WebSocket that is not read.
import { RegisterResult } from '@hypercode/contracts';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../testing/core.ts';

let core: TestCore;
let token: string;
/** Reads about 4 MB. */
const READ = { topics: ['agent.reader.inbox.>'], limit: 16 };
const EVENTS = 17;

beforeAll(async () => {
  core = await sharedCore();
  const answer = await core.fetch('/v1/agents', {
    method: 'POST',
    token: core.joinToken,
    json: { name: 'reader', role: 'worker', version: '1.0.0' },
  });
  ({ token = '' } = RegisterResult.parse(await answer.json()));
  for (let i = 0; i < EVENTS; i += 1) {
    const json = { topic: 'agent.reader.inbox.x', data: 'x'.repeat(250_000) };
    const { ok } = await core.fetch('/v1/events', { method: 'POST', token, json });
    if (!ok) throw new Error('the event was refused');
  }
}, START_TIMEOUT_MS);

const input = () => ({ ...READ, namespace: core.namespace });
const batchPath = (calls: number) => {
  const inputs = Object.fromEntries(Array.from({ length: calls }, (_, index) => [index, input()]));
  return `/trpc/${Array.from({ length: calls }, () => 'bus.read').join(',')}?batch=1&input=${encodeURIComponent(JSON.stringify(inputs))}`;
};

interface BatchAnswer {
  readonly result?: { readonly data: { readonly events: unknown[] } };
  readonly error?: { readonly data: { readonly swarm: { readonly code: string; readonly details: unknown } } };
}

test('a batch is answered until its answers come to 8 MiB; the calls after that are refused', async () => {
  const answers = (await (await core.fetch(batchPath(20), { token })).json()) as BatchAnswer[];
  expect(answers).toHaveLength(20);
  const answered = answers.filter(({ result }) => result !== undefined);
  expect(answered.length).toBeGreaterThanOrEqual(2);
  expect(answered.length).toBeLessThanOrEqual(3);
  const refused = answers.flatMap(({ error }) => (error === undefined ? [] : [error.data.swarm]));
  expect(refused).toHaveLength(20 - answered.length);
  for (const { code, details } of refused) {
    expect(code).toBe('PAYLOAD_TOO_LARGE');
    expect(details).toEqual({ limit: 8 * 1024 * 1024 });
  }
});

test('a batch of small queries and of mutations is answered whole', async () => {
  const { namespace } = core;
  const names = Array.from({ length: 64 }, () => ({ namespace, name: 'reader' }));
  const path = `/trpc/${names.map(() => 'registry.get').join(',')}?batch=1&input=${encodeURIComponent(JSON.stringify(Object.assign({}, names)))}`;
  const answers = (await (await core.fetch(path, { token })).json()) as BatchAnswer[];
  expect(answers.filter(({ result }) => result !== undefined)).toHaveLength(64);

  const events = names.map(() => ({ namespace, topic: 'agent.other.inbox.x', data: 1 }));
  const published = await core.fetch(`/trpc/${events.map(() => 'bus.publish').join(',')}?batch=1`, {
    method: 'POST',
    token,
    json: Object.assign({}, events),
  });
  expect(((await published.json()) as BatchAnswer[]).filter(({ result }) => result !== undefined)).toHaveLength(64);
});

/** A connection that sends, and is not read until the test resumes it. */
async function rawConnection(): Promise<Socket> {
  const socket = connect(core.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

const readsUnderWay = () => core.openCalls();
/** As many as a connection may have: one in work, and four that wait. */
const PIPELINED = 5;

test('pipelined requests begin when the answers before them were taken', async () => {
  const socket = await rawConnection();
  socket.pause();
  const query = new URLSearchParams({ topics: READ.topics[0] ?? '', limit: '16', namespace: core.namespace });
  const request = `GET /v1/events?${query.toString()} HTTP/1.1\r\nhost: core\r\nauthorization: Bearer ${token}\r\n\r\n`;
  socket.write(request.repeat(PIPELINED));
  await vi.waitFor(() => expect(readsUnderWay()).toBe(1));
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  socket.resume();
  await vi.waitFor(() => expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(PIPELINED), { timeout: 30_000 });
  socket.destroy();
  await vi.waitFor(() => expect(readsUnderWay()).toBe(0));
}, 60_000);

test('a connection that ends with pipelined requests leaves no call counted', async () => {
  const socket = await rawConnection();
  socket.pause();
  const request = `GET ${batchPath(1)} HTTP/1.1\r\nhost: core\r\nauthorization: Bearer ${token}\r\n\r\n`;
  socket.write(request.repeat(PIPELINED));
  await vi.waitFor(() => expect(readsUnderWay()).toBe(1));
  socket.destroy();
  await vi.waitFor(() => expect(readsUnderWay()).toBe(0));
});

test('a WebSocket that is not read is not worked for, nor read from, and is whole when it is read again', async () => {
  const socket = new WebSocket(`${core.url.replace('http', 'ws')}/trpc`, {
    headers: { authorization: `Bearer ${token}` },
  });
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  let answers = 0;
  socket.on('message', () => {
    answers += 1;
  });
  socket.pause();
  const calls = Array.from({ length: 100 }, (_, id) => ({
    id: id + 1,
    method: 'query',
    params: { path: 'bus.read', input: input() },
  }));
  socket.send(JSON.stringify(calls));
  // All that may be unsent is unsent.
  await vi.waitFor(() => expect(core.answerBytes()).toBeGreaterThan(0));
  await vi.waitFor(() => expect(readsUnderWay()).toBe(0), { timeout: 30_000 });
  expect(core.answerBytes()).toBeLessThanOrEqual(16 * 1024 * 1024);
  expect(answers).toBe(0);
  socket.resume();
  await vi.waitFor(() => expect(answers).toBe(100), { timeout: 60_000 });
  await vi.waitFor(() => expect(core.answerBytes()).toBe(0));
}, 120_000);
