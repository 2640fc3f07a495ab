// Data of events with integers that a number cannot hold, as the client receives it; and what it does not send.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSwarmClient, type SwarmClient } from '../../src/index.ts';

const EVENT =
  '{"id":"x","topic":"a.b","source":"/s","namespace":"default","time":"2026-01-01T00:00:00Z","data":{"tweet":1724442618569203714}}';
const AGENT = '{"name":"a","capabilities":[{"id":"pay","inputSchema":{"maximum":9223372036854775807}}]}';

let server: Server;
let client: SwarmClient;
let calls = 0;

beforeAll(async () => {
  const answers: Record<string, string> = {
    'bus.read': `{"events":[{"position":"1","event":${EVENT}}]}`,
    'registry.get': AGENT,
  };
  server = createServer((request, response) => {
    calls += 1;
    const { pathname } = new URL(request.url ?? '', 'http://core');
    const paths = pathname.slice('/trpc/'.length).split(',');
    if (paths[0] === 'bus.subscribe') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: connected\ndata: {}\n\ndata: {"type":"event","position":"1","event":${EVENT}}\nid: 1\n\n`);
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.end(`[${paths.map((path) => `{"result":{"data":${answers[path]}}}`).join(',')}]`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = createSwarmClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'secret' });
});
afterAll(async () => {
  await client?.close();
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
});

test('an integer in the data of an event arrives as it came, whether it is read or received live', async () => {
  const [{ events }, agent] = await Promise.all([
    client.bus.read({ topics: ['a.b'] }),
    client.registry.get({ name: 'a' }),
  ]);
  expect(events[0]?.event.data).toEqual({ tweet: 1724442618569203714n });
  // A validator takes the numbers of a JSON Schema as numbers.
  expect(JSON.stringify(agent)).toContain('"maximum":9223372036854776000');
  for await (const item of client.subscribe({ topics: ['a.b'] })) {
    expect(item).toMatchObject({ event: { data: { tweet: 1724442618569203714n } } });
    break;
  }
});

test('what JSON cannot express is refused before anything is sent', async () => {
  const before = calls;
  const refused = [
    [client.publish('a.b', { at: [1, Number.NaN] }), 'data.at.1'],
    [client.publish('a.b', { tweet: 1n }), 'data.tweet'],
    [client.publish('a.b', undefined), 'data'],
    [client.registry.query({ labels: new Map() as unknown as Record<string, string> }), 'labels'],
    [client.registry.update({ name: 'a', set: { labels: { a: (() => {}) as unknown as string } } }), 'set.labels.a'],
    [client.subscribe({ topics: [undefined as unknown as string] }).next(), 'topics.0'],
  ] as const;
  for (const [call, path] of refused) {
    await expect(call).rejects.toMatchObject({ code: 'INVALID_INPUT', details: [{ path }] });
  }
  expect(calls).toBe(before);
});
