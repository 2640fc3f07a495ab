// A member of a consumer group whose connection takes nothing any more: it is ended, and its group goes on.
import { connect, type Socket } from 'node:net';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

const OPERATOR = { kind: 'operator', name: 'ops', id: 'ops', readOnly: false } as const;
/** More than the buffers of two sockets take. */
const EVENTS = 60;
const FIRST_EVENTS = 5;
const PADDING = 'x'.repeat(250_000);
const PATIENCE = { timeout: 20_000, interval: 50 };

async function publish(namespace: string, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 10) {
    const length = Math.min(10, count - sent);
    const json = Array.from({ length }, () => ({ topic: 'work.new', data: PADDING }));
    expect((await core.fetch('/v1/events', { namespace, method: 'POST', json })).status).toBe(200);
  }
}

const inFlightIn = async (namespace: string): Promise<number> =>
  (await core.bus.listGroups(OPERATOR, namespace))[0]?.inFlight ?? 0;

/** A stream of `bus.consume` as a socket that reads nothing until it is resumed. */
function consume(namespace: string, more: object): Socket {
  const input = { namespace, group: 'crew', topics: ['work.*'], from: 'earliest', maxInFlight: 100, ...more };
  const socket = connect(core.port, '127.0.0.1').pause();
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  const path = `/trpc/bus.consume?input=${encodeURIComponent(JSON.stringify(input))}`;
  socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${core.adminToken}\r\n\r\n`);
  return socket;
}

/** So many looks in a row at what does not change: between two claims it stands still, too. */
const STILL_LOOKS = 20;

/** Waits until the member takes no more. */
async function isStuck(namespace: string): Promise<number> {
  let inFlight = 0;
  let looks = 0;
  await vi.waitFor(async () => {
    const before = inFlight;
    inFlight = await inFlightIn(namespace);
    looks = inFlight > 0 && inFlight === before ? looks + 1 : 0;
    expect(looks).toBeGreaterThanOrEqual(STILL_LOOKS);
  }, PATIENCE);
  return inFlight;
}

async function openStreams(): Promise<number> {
  const text = await (await core.fetch('/metrics', { token: null })).text();
  return Number(/^swarm_streams\{stream="consume",transport="sse_trpc"\} (\d+)$/m.exec(text)?.[1]);
}

test('what a stuck connection was not handed goes to another member when it closes, long before the deadline', async () => {
  const namespace = core.freshNamespace();
  // Claims have about as many bytes as Linux buffers of a connection: the end of a claim must not meet that of the buffer.
  await publish(namespace, FIRST_EVENTS);
  const stuck = consume(namespace, { ackDeadlineMs: 600_000 });
  await vi.waitFor(async () => expect(await inFlightIn(namespace)).toBe(FIRST_EVENTS), PATIENCE);
  await publish(namespace, EVENTS);
  const taken = await isStuck(namespace);
  stuck.destroy();
  const other = consume(namespace, { ackDeadlineMs: 600_000 }).resume();
  let text = '';
  other.on('data', (chunk) => (text += String(chunk).replaceAll(/x{50,}/g, 'x')));
  // The middle part of a position counts the events of the log.
  const received = () =>
    [...text.matchAll(/^data: \{"type":"delivery".*"position":"[^"-]+-([0-9a-z]+)-/gm)].map(([, seq = '']) =>
      parseInt(seq, 36),
    );
  await vi.waitFor(() => expect(received().some((seq) => seq <= taken)).toBe(true), PATIENCE);
  // It was not sent, so the attempt does not count.
  expect(text).not.toContain('"attempt":2');
});

test('a connection that takes nothing is ended after the ack deadline', async () => {
  const namespace = core.freshNamespace();
  await vi.waitFor(async () => expect(await openStreams()).toBe(0), PATIENCE);
  await publish(namespace, EVENTS);
  const stuck = consume(namespace, { ackDeadlineMs: 1000, maxDeliveries: 1000 });
  await vi.waitFor(async () => expect(await openStreams()).toBe(1), PATIENCE);
  await vi.waitFor(async () => expect(await openStreams()).toBe(0), PATIENCE);
  expect(stuck.destroyed).toBe(false);
});
