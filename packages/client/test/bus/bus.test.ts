// Publishing, subscribing and consuming on a whole core.
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { trackLeaks, waitFor } from '@hypercode/testkit';
import { LIMITS } from '@hypercode/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { connectAgent, createSwarmClient, defineEvents, type SwarmClient } from '../../src/index.ts';
import { follow } from '../following.ts';

let core: TestCore;
let client: SwarmClient;
/** Tests do not see each other's events. */
let namespace: string;
let count = 0;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

afterAll(async () => {
  await client?.close();
});

beforeEach(async () => {
  await client?.close();
  count += 1;
  namespace = `${core.namespace}-${count}`;
  client = createSwarmClient({ url: core.url, token: core.adminToken, namespace });
});

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);

describe('publishing', () => {
  test('puts events into the log, once for each id', async () => {
    const { data, stop } = await follow(client, ['build.*']);
    const results = await Promise.all(range(600).map((number) => client.publish('build.done', number)));
    expect(new Set(results.map(({ position }) => position)).size).toBe(600);
    const again = await client.publish('build.done', 0, { id: results[0]?.id });
    expect(again).toEqual({ ...results[0], duplicate: true });
    await client.publish('other.done', 'elsewhere');
    await waitFor(() => data().length >= 600, { what: 'all events' });
    expect(data().toSorted((a, b) => Number(a) - Number(b))).toEqual(range(600));
    await stop();
  });

  test('refuses one bad event of a batch', async () => {
    const outcomes = await Promise.allSettled([
      client.publish('a.b', 1),
      client.publish('not a topic', 2),
      client.publish('a.b', 'x'.repeat(LIMITS.eventBytes - 10)),
      client.publish('system.mine', 4),
      client.publish('a.b', 5, { correlationId: 'c', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }),
    ]);
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { reason: { code: 'INVALID_INPUT' } },
      { reason: { code: 'PAYLOAD_TOO_LARGE' } },
      { reason: { name: 'SwarmError', retryable: false } },
      { status: 'fulfilled' },
    ]);
    const { events } = await client.bus.read({ topics: ['>'] });
    expect(events.map(({ event }) => event.data)).toEqual([1, 5]);
    expect(events[1]?.event).toMatchObject({
      correlationId: 'c',
      namespace,
      source: expect.stringMatching('/operators/'),
    });
  });
});

describe('a consumer group', () => {
  test('shares its events among its members, and each is handled', async () => {
    const leaks = trackLeaks();
    await Promise.all(range(100).map((number) => client.publish('job.new', number)));
    const handled: [string, unknown][] = [];
    const join = (name: string) =>
      client.consume({ group: 'workers', topics: ['job.*'], from: 'earliest', maxInFlight: 4 }, async ({ data }) => {
        await new Promise(setImmediate);
        handled.push([name, data]);
      });
    const members = [join('a'), join('b')];
    await waitFor(() => handled.length >= 100, { what: 'all events' });
    await Promise.all(members.map((member) => member.stop()));
    expect(handled.map(([, data]) => data).toSorted((a, b) => Number(a) - Number(b))).toEqual(range(100));
    const { groups } = await client.bus.groups();
    expect(groups).toMatchObject([{ group: 'workers', inFlight: 0, waiting: 0, deadLetters: 0 }]);
    await client.close();
    await leaks.check();
  });

  test('delivers again what a handler threw at, and gives up in the end', async () => {
    const attempts: number[] = [];
    const consumer = client.consume(
      { group: 'g', topics: ['job'], from: 'earliest', maxDeliveries: 3, retryDelayMs: 1 },
      (_, { attempt }) => {
        attempts.push(attempt);
        throw new Error(`no ${attempt}`);
      },
    );
    await client.publish('job', { work: true });
    const dead = await waitFor(
      async () => {
        const { deadLetters } = await client.bus.deadLetters({ group: 'g' });
        return deadLetters[0];
      },
      { what: 'the dead letter' },
    );
    expect(attempts).toEqual([1, 2, 3]);
    expect(dead).toMatchObject({ reason: 'no 3', event: { data: { work: true } } });
    expect(await client.bus.redrive({ group: 'g', all: true })).toEqual({ count: 1 });
    await waitFor(() => attempts.length === 6, { what: 'three more attempts' });
    await consumer.stop();
  });

  test('of other settings is refused', async () => {
    const first = client.consume({ group: 'g', topics: ['a'] }, () => {});
    await waitFor(async () => (await client.bus.groups()).groups.length === 1, { what: 'the group' });
    const second = client.consume({ group: 'g', topics: ['b'] }, () => {});
    await expect(second.closed).rejects.toMatchObject({ code: 'CONFLICT' });
    await first.stop();
  });

  test('can be worked by hand', async () => {
    await client.publish('a', 1);
    for await (const item of client.deliveries({ group: 'g', topics: ['a'], from: 'earliest' })) {
      if (item.type !== 'delivery') continue;
      expect(await client.bus.ack({ group: 'g', deliveryIds: [item.deliveryId] })).toEqual({ settled: 1 });
      break;
    }
  });
});

test('agents speak by their catalogue, and stop in order', async () => {
  const catalogue = defineEvents({ 'task.*.completed': z.object({ taskId: z.string() }) });
  const { url, adminToken, joinToken } = core;
  const options = { url, namespace: core.namespace, token: joinToken, version: '1.0.0' };
  const operator = createSwarmClient({ url, namespace: core.namespace, token: adminToken });
  const everything = { publish: ['>'], subscribe: ['>'] };
  const { version } = await operator.policy.get();
  await operator.policy.put({
    policy: { roles: { qa: everything }, default: { publish: [], subscribe: [] } },
    ifVersion: version,
  });
  const worker = await connectAgent({ ...options, name: 'qa-1', role: 'qa' });
  const stranger = await connectAgent({ ...options, name: 'stranger', role: 'guest' });
  const received: [string, string][] = [];
  const listener = worker.client
    .events(catalogue)
    .on('task.*.completed', ({ data, source }) => received.push([data.taskId, source]), { from: 'earliest' });

  await worker.client.events(catalogue).publish('task.qa-1.completed', { taskId: 't-1' });
  await waitFor(() => received.length === 1, { what: 'the event' });
  expect(received).toEqual([['t-1', `/agents/${core.namespace}/qa-1`]]);
  await expect(stranger.client.publish('task.qa-1.completed', {})).rejects.toMatchObject({
    code: 'ACL_DENIED',
    details: { role: 'guest', action: 'publish', topic: 'task.qa-1.completed' },
  });
  await expect(stranger.client.on('task.>', () => {}, { onDenied() {} }).attached).rejects.toMatchObject({
    code: 'ACL_DENIED',
  });

  // What was published before the stop is sent before the agent is gone.
  const last = worker.client.publish('task.qa-1.completed', { taskId: 't-2' });
  listener.stop();
  await Promise.all([worker.stop(), stranger.stop()]);
  expect(await last).toMatchObject({ duplicate: false });
  await operator.close();
});
