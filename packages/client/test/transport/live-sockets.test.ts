// The one WebSocket of all live streams of a client whose requests go through a `fetch`, as in a browser.
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { trackLeaks, waitFor } from '@hypercode/testkit';
import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import {
  createSwarmClient,
  type SubscriptionEvent,
  type SwarmClient,
  type SwarmClientOptions,
} from '../../src/index.ts';
import { follow } from '../following.ts';
import { registration } from '../watching.ts';
import { MAX_WAITING_LENGTH } from '../../src/transport/socket-view.ts';
import { type Relay, relayTo } from './relay.ts';

const VIEWS = 24;

let core: TestCore;
let namespace: string;
let relay: Relay;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

beforeEach(async () => {
  namespace = core.freshNamespace();
  relay = await relayTo(core.port);
});

function clientOf(options: Partial<SwarmClientOptions> = {}): SwarmClient {
  const client = createSwarmClient({
    url: relay.url,
    token: core.adminToken,
    namespace,
    fetch: (input, init) => fetch(input, init),
    ...options,
  });
  onTestFinished(() => client.close());
  return client;
}

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);

test('watches, subscriptions and consumers share one connection, and each receives what is its own', async () => {
  const client = clientOf();
  const follows = await Promise.all(range(VIEWS).map((index) => follow(client, [`a${index}.*`])));
  const directory = client.directory();
  const worked: unknown[] = [];
  client.consume({ group: 'g', topics: ['job.*'] }, ({ data }) => void worked.push(data));
  await directory.ready;
  await client.registry.register(registration('ada'));
  for (const index of range(VIEWS)) await client.publish(`a${index}.x`, index);
  await client.publish('job.x', 'job');
  await waitFor(() => follows.every(({ data }) => data().length === 1) && directory.size === 1, {
    what: 'what is published',
  });
  await waitFor(() => worked.length === 1, { what: 'a delivery' });
  expect(follows.map(({ data }) => data()[0])).toEqual(range(VIEWS));
  expect(relay.begun.webSockets).toBe(1);
});

test('every view is resumed without a gap when the connection is lost', async () => {
  const client = clientOf();
  const follows = await Promise.all(range(VIEWS).map((index) => follow(client, ['a.*', `b${index}.*`])));
  const publisher = createSwarmClient({ url: core.url, token: core.adminToken, namespace });
  onTestFinished(() => publisher.close());
  for (const number of range(30)) {
    await publisher.publish('a.x', number);
    if (number === 10 || number === 20) relay.cut();
  }
  await waitFor(() => follows.every(({ data }) => data().length >= 30), { what: 'all events' });
  for (const { data, values } of follows) {
    expect(data()).toEqual(range(30));
    expect(values.some(({ type }) => type === 'gap')).toBe(false);
  }
  expect(relay.begun.webSockets).toBe(3);
});

test('a view that is not read holds up no other, and receives everything in the end', async () => {
  const client = clientOf();
  const slow = client.subscribe({ topics: ['a.*'] });
  await slow.next();
  const quick = await follow(client, ['a.*']);
  const size = 200_000;
  const count = Math.ceil(MAX_WAITING_LENGTH / size) * 3;
  const text = 'x'.repeat(size);
  for (const number of range(count)) await client.publish('a.x', { number, text });
  await waitFor(() => quick.data().length === count, { what: 'everything at the quick view' });
  await waitFor(() => core.openStreams() === 1, { what: 'the end of the slow stream at the core' });
  const received: SubscriptionEvent[] = [];
  while (received.length < count) {
    const { value } = await slow.next();
    if (value?.type === 'event') received.push(value);
  }
  expect(received.map((item) => (item.type === 'event' ? (item.event.data as { number: number }).number : -1))).toEqual(
    range(count),
  );
  expect(relay.begun.webSockets).toBe(1);
});

test('a renewed token is named on a new connection', async () => {
  const issue = (name: string) => core.registry.tokens.create({ namespace, kind: 'viewer', name }, { name: 'test' });
  const [first, second] = [await issue('first'), await issue('second')];
  let token = first.token;
  const client = clientOf({ token: (refused) => (refused === token ? (token = second.token) : token) });
  const { data } = await follow(client, ['a.*']);
  await core.registry.tokens.revoke(namespace, first.id, { name: 'test' });
  await waitFor(() => token === second.token, { what: 'the renewal' });
  await core.fetch('/v1/events', { namespace, method: 'POST', json: { topic: 'a.x', data: 1 } });
  await waitFor(() => data().length === 1, { what: 'the event' });
  expect(relay.begun.webSockets).toBe(2);
});

test('a view that is refused for good ends with the refusal, alone', async () => {
  const client = clientOf({ token: core.viewerToken });
  await expect(client.watch({ namespace: 'Not A Name' }).next()).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  await expect(clientOf({ token: 'unknown' }).watch().next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('where no WebSocket can be opened, each view is a request, and that is logged once', async () => {
  relay.takesWebSockets = false;
  const warnings: string[] = [];
  const client = clientOf({ logger: { info() {}, warn: (_, message) => warnings.push(message) } });
  const follows = await Promise.all(range(3).map(() => follow(client, ['a.*'])));
  await client.publish('a.x', 1);
  await waitFor(() => follows.every(({ data }) => data().length === 1), { what: 'the event' });
  expect(warnings).toEqual([expect.stringContaining('no WebSocket can be opened')]);
  expect(relay.begun.webSockets).toBe(1);
});

test.each<[string, Partial<SwarmClientOptions>]>([
  ['without `webSocket`', { webSocket: false }],
  ['with headers, which a WebSocket does not send', { headers: { 'x-team': 'bees' } }],
])('%s each view is a request', async (_, options) => {
  const { data } = await follow(clientOf(options), ['a.*']);
  await core.fetch('/v1/events', { namespace, method: 'POST', json: { topic: 'a.x', data: 1 } });
  await waitFor(() => data().length === 1, { what: 'the event' });
  expect(relay.begun.webSockets).toBe(0);
});

test('a connection without views is closed, and so is that of a closed client', async () => {
  const client = clientOf();
  const leaks = trackLeaks();
  const { stop } = await follow(client, ['a.*']);
  await stop();
  await leaks.check(10_000);
  await follow(client, ['a.*']);
  expect(relay.begun.webSockets).toBe(2);
  await client.close();
  await leaks.check(10_000);
});
