// What `/metrics` reports of a whole core.
import { ClaimResult, RegisterResult } from '@hypercode/contracts';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ServerMetrics } from '@hypercode/server/testing';
import { START_TIMEOUT_MS, startTestCore, type TestCore } from '../testing/core.ts';

let core: TestCore;

beforeAll(async () => {
  core = await startTestCore();
}, START_TIMEOUT_MS);
afterAll(() => core.close());

async function metrics(): Promise<Map<string, number>> {
  const answer = await core.fetch('/metrics', { token: null });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

const register = async (fields: object): Promise<Response> =>
  core.fetch('/v1/agents', { method: 'POST', json: { name: 'a', role: 'worker', version: '1.0.0', ...fields } });

describe('GET /metrics', () => {
  it('keeps the rules of Prometheus for names, as `promtool check metrics` does', async () => {
    const text = await (await core.fetch('/metrics', { token: null })).text();
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => ({ name, type }));
    expect(types.length).toBeGreaterThan(50);
    expect(types.filter(({ name, type }) => (type === 'counter') !== name.endsWith('_total'))).toEqual([]);
    expect(types.filter(({ name }) => /[A-Z:]|_(count|sum|bucket|ms|milliseconds|kb|mb)$/.test(name))).toEqual([]);
    expect(types.filter(({ name }) => !new RegExp(`^# HELP ${name} \\S`, 'm').test(text))).toEqual([]);
  });

  it('begins at zero, with the process', async () => {
    const before = await metrics();
    for (const outcome of ['created', 'updated', 'unchanged']) {
      expect(before.get(`swarm_registrations_total{outcome="${outcome}"}`)).toBe(0);
    }
    expect(before.get('swarm_refusals_total{code="FENCED"}')).toBe(0);
    expect(before.get('swarm_heartbeats_total')).toBe(0);
    expect(before.get('swarm_streams{stream="watch",transport="websocket"}')).toBe(0);
    expect(before.get('swarm_signal_linked')).toBe(1);
    expect(before.get('swarm_probes_given_up_total')).toBe(0);
    expect(before.get('swarm_liveness_suspended')).toBe(0);
    expect(before.get('process_resident_memory_bytes')).toBeGreaterThan(0);
  });

  it('counts registrations, commits, heartbeats, refusals and requests', async () => {
    const { token = '' } = RegisterResult.parse(await (await register({})).json());
    await register({});
    await register({ version: '2.0.0' });
    await register({ role: 'boss' });
    await core.fetch('/trpc/registry.nothing');
    await core.fetch('/nowhere?secret=1');
    for (let beats = 0; beats < 3; beats += 1) {
      await core.fetch('/v1/agents/a/heartbeat', { method: 'POST', token });
    }
    // The last answer is counted after it was sent.
    const expected: [string, number][] = [
      ['swarm_registrations_total{outcome="created"}', 1],
      ['swarm_registrations_total{outcome="unchanged"}', 1],
      ['swarm_registrations_total{outcome="updated"}', 1],
      ['swarm_refusals_total{code="IMMUTABLE_FIELD"}', 1],
      ['swarm_refusals_total{code="NOT_FOUND"}', 2],
      ['swarm_heartbeats_total', 3],
      ['swarm_changes_total', 3],
      ['swarm_commit_group_commands_count', 4],
      ['swarm_commit_group_duration_seconds_count', 4],
      ['swarm_http_requests_total{route="/v1/agents",method="POST",status="201"}', 1],
      ['swarm_http_requests_total{route="/v1/agents",method="POST",status="200"}', 2],
      ['swarm_http_requests_total{route="/v1/agents",method="POST",status="409"}', 1],
      ['swarm_http_requests_total{route="/v1/agents/:name/heartbeat",method="POST",status="200"}', 3],
      ['swarm_http_requests_total{route="/trpc/:path",method="GET",status="404"}', 1],
      ['swarm_http_requests_total{route="none",method="GET",status="404"}', 1],
      ['swarm_http_request_duration_seconds_count{route="/v1/agents",method="POST"}', 4],
    ];
    await vi.waitFor(async () => {
      const after = await metrics();
      expect(expected.map(([name]) => [name, after.get(name)])).toEqual(expected);
    }, 5000);
  });

  it('counts what is published, refused, repeated and delivered, and shows what waits', async () => {
    const id = randomUUID();
    const publish = (json: unknown) => core.fetch('/v1/events', { method: 'POST', json });
    const group = (call: string, json: unknown) => core.fetch(`/v1/groups/g/${call}`, { method: 'POST', json });
    const claim = async () => {
      const answer = await group('claim', { topics: ['m.>'], from: 'earliest', max: 1, maxDeliveries: 2 });
      return ClaimResult.parse(await answer.json()).deliveries.map(({ deliveryId }) => deliveryId);
    };
    await publish({ id, topic: 'm.a', data: 1 });
    await publish({ id, topic: 'm.a', data: 1 });
    await publish([
      { topic: 'm.b', data: 2 },
      { topic: 'm.c', data: 3 },
      { topic: 'system.a', data: 4 },
    ]);
    for (let attempts = 0; attempts < 2; attempts += 1) await group('nack', { deliveryIds: await claim() });
    await group('ack', { deliveryIds: await claim() });
    const open = await claim();
    expect(open).toHaveLength(1);
    await publish({ topic: 'm.d', data: 5 });
    const stream = await core.fetch('/v1/events/stream?topics=m.*&from=earliest');
    const reader = stream.body?.getReader();
    await reader?.read();

    const expected: [string, number][] = [
      ['swarm_events_published_total', 4],
      ['swarm_events_duplicate_total', 1],
      ['swarm_refusals_total{code="ACL_DENIED"}', 1],
      ['swarm_append_events_sum', 5],
      ['swarm_append_events_count', 4],
      ['swarm_append_duration_seconds_count', 4],
      ['swarm_event_ring_entries', 4],
      ['swarm_deliveries_total', 4],
      ['swarm_redeliveries_total', 1],
      ['swarm_nacks_total', 2],
      ['swarm_acks_total', 1],
      ['swarm_group_lag{namespace="default",group="g"}', 1],
      ['swarm_group_in_flight{namespace="default",group="g"}', 1],
      ['swarm_group_dead_letters{namespace="default",group="g"}', 1],
      ['swarm_streams{stream="subscribe",transport="sse_rest"}', 1],
      ['swarm_stream_values_total{stream="subscribe",transport="sse_rest"}', 5],
      ['swarm_stream_news_total{stream="subscribe",transport="sse_rest"}', 4],
    ];
    await vi.waitFor(async () => {
      const after = await metrics();
      expect(expected.map(([name]) => [name, after.get(name)])).toEqual(expected);
      expect(after.get('swarm_event_ring_bytes')).toBeGreaterThan(0);
      expect(after.get('swarm_stream_sent_bytes_total{stream="subscribe",transport="sse_rest"}')).toBeGreaterThan(0);
    }, 5000);
    // All of one moment, and not of the scrape before.
    await group('ack', { deliveryIds: open });
    expect((await metrics()).get('swarm_group_in_flight{namespace="default",group="g"}')).toBe(0);
    await reader?.cancel();
  });

  it('lists the groups that lag most, once for all who ask at a time', async () => {
    const groups = Array.from({ length: 1100 }, (_, lag) => ({
      namespace: 'default',
      group: `g${lag}`,
      topics: ['a'],
      ackDeadlineMs: 30_000,
      maxDeliveries: 5,
      groupId: `id-${lag}`,
      settings: { version: 1, topics: ['a'], ackDeadlineMs: 30_000, maxDeliveries: 5 },
      paused: null,
      ownedBy: null,
      madeBy: null,
      madeAt: null,
      position: 'a-0-0',
      lag,
      inFlight: 0,
      waiting: 0,
      deadLetters: 0,
      deadByReason: [],
      oldestDeadAt: null,
      oldestUnreadAt: null,
      members: 0,
      ratePerSecond: 0,
    }));
    const { promise, resolve } = Promise.withResolvers<typeof groups>();
    const served = vi.spyOn(core.bus, 'servedGroups').mockReturnValue(promise);
    const asks = vi.spyOn(ServerMetrics.prototype, 'text');
    const answers = [metrics(), metrics(), metrics()];
    await vi.waitFor(() => expect(asks).toHaveBeenCalledTimes(3), 10_000);
    resolve(groups);
    const shown = (await Promise.all(answers)).map((all) =>
      [...all].filter(([name]) => name.startsWith('swarm_group_lag')).map(([, lag]) => lag),
    );
    expect(served).toHaveBeenCalledTimes(1);
    served.mockRestore();
    asks.mockRestore();
    for (const lags of shown) expect(lags).toEqual(Array.from({ length: 1000 }, (_, place) => 1099 - place));
    expect((await metrics()).get('swarm_group_lag{namespace="default",group="g1099"}')).toBeUndefined();
  });

  it('names no path that a caller made up', async () => {
    expect([...(await metrics()).keys()].filter((name) => name.includes('nowhere'))).toEqual([]);
  });
});
