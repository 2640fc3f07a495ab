// What people see of a swarm as a whole: replicas and stores, namespaces, statistics.
import {
  ClusterStatus,
  ClaimResult,
  CreateTokenResult,
  LIMITS,
  NamespacesResult,
  RegisterResult,
  StatsMetric,
  StatsSeries,
  Traffic,
} from '@hypercode/contracts';
import { beforeAll, expect, test, vi } from 'vitest';
import { expectProblem, sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';
import { OPEN_POLICY } from '../sample-inputs.ts';

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

const read = async (path: string, token = core.adminToken, namespace: string | null = null) =>
  (await core.fetch(path, { token, namespace })).json();
const post = async (path: string, namespace: string, json: unknown, method = 'POST') =>
  (await core.fetch(path, { method, namespace, json })).json();
const tokenOf = async (kind: string, namespace: string) =>
  CreateTokenResult.parse(await post('/v1/tokens', namespace, { kind, name: `the ${kind} ${namespace}` })).token;

test('the cluster has this replica with its open streams, and its stores', async () => {
  const aborted = new AbortController();
  await core.fetch('/v1/agents/watch', { signal: aborted.signal });
  await core.fetch('/v1/events/stream?topics=a', { signal: aborted.signal });
  await vi.waitFor(async () => {
    const status = ClusterStatus.parse(await read('/v1/cluster'));
    expect(status.replicas).toHaveLength(1);
    expect(status.replicas[0]).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
    expect(status.replicas[0]?.streams.watch).toBeGreaterThanOrEqual(1);
    expect(status.replicas[0]?.streams.subscribe).toBeGreaterThanOrEqual(1);
    expect(status.replicas[0]?.rssBytes).toBeGreaterThan(1_000_000);
    const database = { kind: 'pglite', ok: true, version: expect.stringMatching(/^\d+/) };
    expect(status.stores).toMatchObject({ database, events: database });
    expect(status.stores.database.latencyMs).toBeGreaterThanOrEqual(0);
    expect(status.suspended).toEqual([]);
  });
  aborted.abort();
});

async function allNamespaces(limit: number): Promise<NamespacesResult['namespaces']> {
  const all: NamespacesResult['namespaces'] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const after: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const page = NamespacesResult.parse(await read(`/v1/namespaces?limit=${limit}${after}`));
    all.push(...page.namespaces);
    cursor = page.nextCursor;
  }
  return all;
}

test('namespaces are listed with their agents, events and groups, page by page', async () => {
  const [first = '', second = ''] = [core.freshNamespace(), core.freshNamespace()].toSorted();
  for (const name of ['a', 'b']) await post('/v1/agents', first, { name, role: 'worker', version: '1.0.0' });
  await post('/v1/agents/b', first, {}, 'DELETE');
  await post('/v1/policy', second, { policy: OPEN_POLICY }, 'PUT');
  await post('/v1/events', second, { topic: 'a.b', data: 1 });
  await post('/v1/groups/crew/claim', second, { topics: ['a.*'] });
  // Other files of this process have namespaces on the same core.
  const listed = await allNamespaces(LIMITS.namespacesPage);
  const find = (namespace: string) => listed.find((one) => one.namespace === namespace);
  const none = { total: 0, healthy: 0, unhealthy: 0, open: 0 };
  const inFirst = { agents: { ...none, total: 1 }, revision: 3 };
  expect(find(first)).toMatchObject({ ...inFirst, events: { kept: 0, bytes: 0 }, groups: 0 });
  expect(find(second)).toMatchObject({ agents: none, revision: 0, events: { kept: 1 }, groups: 1 });
  expect(find(second)?.events.bytes).toBeGreaterThan(50);
  const nameOf = ({ namespace }: { namespace: string }) => namespace;
  expect((await allNamespaces(2)).map(nameOf)).toEqual(listed.map(nameOf));
  expect(NamespacesResult.parse(await read('/v1/namespaces', core.adminToken, first)).namespaces).toEqual([
    find(first),
  ]);
  await expectProblem(await core.fetch('/v1/namespaces?cursor=NONE', { namespace: null }), 'INVALID_INPUT');
});

test('a token of one namespace sees that one, without naming it', async () => {
  const [namespace, other] = [core.freshNamespace(), core.freshNamespace()];
  await post('/v1/agents', other, { name: 'a', role: 'worker', version: '1.0.0' });
  for (const kind of ['operator', 'viewer']) {
    const token = await tokenOf(kind, namespace);
    const { namespaces } = NamespacesResult.parse(await read('/v1/namespaces', token));
    expect(namespaces.map((one) => one.namespace)).toEqual([namespace]);
    expect(ClusterStatus.parse(await read('/v1/cluster', token)).replicas).toHaveLength(1);
    await expectProblem(await core.fetch('/v1/namespaces', { token, namespace: other }), 'FORBIDDEN');
  }
});

test('statistics count what is published, refused, delivered, acknowledged, redelivered and dead', async () => {
  const namespace = core.freshNamespace();
  await post('/v1/policy', namespace, { policy: OPEN_POLICY }, 'PUT');
  const id = crypto.randomUUID();
  const event = { topic: 'a.b', data: 1 };
  await post('/v1/events', namespace, [{ ...event, id }, event, event, { topic: 'system.x', data: 1 }]);
  await post('/v1/events', namespace, { ...event, id });
  await post('/v1/events', namespace, { topic: 'system.x', data: 1 });
  const group = (path: string, json: object) => post(`/v1/groups/crew/${path}`, namespace, json);
  const claim = async (max: number) => {
    const answer = await group('claim', { topics: ['a.*'], from: 'earliest', maxDeliveries: 2, max });
    return { deliveryIds: ClaimResult.parse(answer).deliveries.map(({ deliveryId }) => deliveryId) };
  };
  await group('ack', await claim(1));
  await group('nack', await claim(2));
  await group('nack', await claim(2));
  await core.bus.reportDeaths();
  // The core itself publishes that events died.
  await vi.waitFor(
    async () =>
      expect(await read('/v1/events?topics=system.group.dead', core.adminToken, namespace)).toMatchObject({
        events: [{}],
      }),
    { timeout: 10_000, interval: 20 },
  );
  await core.operations.report();
  const metrics = StatsMetric.options.map((metric) => `metrics=${metric}`).join('&');
  const found = StatsSeries.parse(await read(`/v1/stats?${metrics}&stepMs=600000`, core.adminToken, namespace));
  const { publishP99Ms = [], ...counts } = found.series;
  const sums = Object.entries(counts).map(([metric, series]) => [
    metric,
    (series ?? []).reduce((sum: number, n) => sum + (n ?? 0), 0),
  ]);
  expect(Object.fromEntries(sums)).toEqual({
    published: 4,
    refused: 2,
    delivered: 5,
    acked: 1,
    redelivered: 2,
    dead: 2,
  });
  expect(found.stepMs).toBe(600_000);
  expect(Math.max(...publishP99Ms.map((ms) => ms ?? 0))).toBeGreaterThan(0);
  const idle = StatsSeries.parse(await read('/v1/stats?metrics=acked', core.adminToken, core.freshNamespace()));
  expect(new Set(idle.series.acked)).toEqual(new Set([null]));
  expect(idle.series.acked).toHaveLength(361);
  for (const wrong of ['metrics=acked&stepMs=1000', 'metrics=acked&stepMs=10001', 'metrics=all', '']) {
    await expectProblem(await core.fetch(`/v1/stats?${wrong}`), 'INVALID_INPUT');
  }
});

test('traffic shows who reaches which group and which stream', async () => {
  const namespace = core.freshNamespace();
  await post('/v1/policy', namespace, { policy: OPEN_POLICY }, 'PUT');
  const json = { name: 'ada', role: 'worker', version: '1.0.0' };
  const { token } = RegisterResult.parse(await post('/v1/agents', namespace, json));
  const left = new AbortController();
  const stream = await core.fetch('/v1/events/stream?topics=a.%3E', {
    token: token ?? '',
    namespace,
    signal: left.signal,
  });
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  const event = (topic: string) => ({ topic, data: 1 });
  await post('/v1/events', namespace, [event('a.b'), event('a.b'), event('a.c'), event('x.y')]);
  for (let text = ''; !text.includes('a.c'); text += (await reader?.read())?.value ?? '');
  await post('/v1/groups/crew/claim', namespace, { topics: ['a.b'], from: 'earliest', max: 10 });
  left.abort();
  await core.operations.report();
  const edge = (topic: string, kind: string, name: string, count: number) => ({
    source: '/operators/admin',
    topic,
    reader: { kind, name },
    count,
  });
  expect(Traffic.parse(await read('/v1/traffic', core.adminToken, namespace))).toEqual({
    edges: [edge('a.b', 'group', 'crew', 2), edge('a.b', 'stream', 'ada', 2), edge('a.c', 'stream', 'ada', 1)],
    other: 0,
  });
  await expectProblem(await core.fetch('/v1/traffic?windowMs=3600001'), 'INVALID_INPUT');
});
