// Inputs that are too long for an address, over both transports of a client: the same calls, by POST.
import { LIMITS } from '@hypercode/contracts';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSwarmClient, type SwarmClient } from '../src/index.ts';

const TOPICS = Array.from({ length: LIMITS.subscribedPatterns }, (_, index) =>
  `${'t'.repeat(120)}.p${index}.`.padEnd(LIMITS.topicLength, 'w'),
);
const LABELS = Object.fromEntries(
  Array.from({ length: LIMITS.labels }, (_, index) => [`l-${index}`, '漢'.repeat(LIMITS.labelValueLength)]),
);

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

/** Every request that `fetch` was given. */
const requests: { method: string | undefined; length: number }[] = [];
const noting: typeof fetch = (input, init) => {
  if (!(input instanceof URL)) throw new TypeError('every address is a URL');
  requests.push({ method: init?.method, length: input.href.length });
  return fetch(input, init);
};

describe.each([
  ['node:http', {}],
  ['fetch', { fetch: noting, webSocket: false }],
  ['websocket', { fetch }],
])('through %s', (name, way) => {
  let client: SwarmClient;
  beforeAll(() => {
    const options = { url: core.url, token: core.adminToken, namespace: core.namespace, logger: false } as const;
    client = createSwarmClient({ ...options, ...way });
  });
  afterAll(() => client?.close());

  test('a long query and a long read are answered, beside short ones', async () => {
    const [found, read, all] = await Promise.all([
      client.registry.query({ labels: LABELS }),
      client.bus.read({ topics: TOPICS }),
      client.registry.query(),
    ]);
    expect([found.agents, read.end, all.agents]).toEqual([[], true, []]);
  });

  test('a long watch, subscription and group are opened', async () => {
    for await (const { type } of client.watch({ labels: LABELS, view: 'summary' })) {
      expect(type).toBe('snapshot');
      break;
    }
    for await (const { type } of client.subscribe({ topics: TOPICS })) {
      expect(type).toBe('bookmark');
      break;
    }
    const group = `long-${name.replace(':', '-')}`;
    for await (const { type } of client.deliveries({ group, topics: TOPICS })) {
      expect(type).toBe('joined');
      break;
    }
  });
});

test('no address is longer than proxies take', () => {
  expect(requests.filter(({ method }) => method === 'POST').length).toBeGreaterThanOrEqual(5);
  expect(Math.max(...requests.map(({ length }) => length))).toBeLessThan(8_100);
});

test('a directory of summaries follows their changes', async () => {
  const client = createSwarmClient({ url: core.url, token: core.adminToken, namespace: core.freshNamespace() });
  const agent = {
    name: 'ada',
    role: 'worker',
    version: '1.0.0',
    topics: { publishes: ['a.b'], subscribes: [] },
    capabilities: [{ id: 'create_issue', tags: ['vcs'], inputSchema: { type: 'object' } }],
  };
  await client.registry.register(agent);
  const directory = client.directory({ view: 'summary' });
  await directory.ready;
  expect(directory.get('ada')?.capabilities).toEqual([{ id: 'create_issue', tags: ['vcs'] }]);
  expect(directory.get('ada')).not.toHaveProperty('topics');
  const changed = directory.waitFor(({ version }) => version === '2.0.0');
  await client.registry.register({ ...agent, version: '2.0.0' });
  expect((await changed).capabilities).toEqual([{ id: 'create_issue', tags: ['vcs'] }]);
  const { agents } = await client.registry.query({ view: 'summary' });
  expect(agents[0]).not.toHaveProperty('topics');
  await directory.stop();
  await client.close();
});
