// What `/metrics` tells of a whole core.
import { RegisterResult } from '@hypercode/contracts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { START_TIMEOUT_MS, startTestCore, type TestCore } from './test-core.ts';

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
  it('begins at zero, with the process', async () => {
    const before = await metrics();
    for (const outcome of ['created', 'updated', 'unchanged']) {
      expect(before.get(`swarm_registrations_total{outcome="${outcome}"}`)).toBe(0);
    }
    expect(before.get('swarm_refusals_total{code="FENCED"}')).toBe(0);
    expect(before.get('swarm_heartbeats_total')).toBe(0);
    expect(before.get('swarm_streams{stream="watch",transport="websocket"}')).toBe(0);
    expect(before.get('swarm_signal_linked')).toBe(1);
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

  it('names no path that a caller made up', async () => {
    expect([...(await metrics()).keys()].filter((name) => name.includes('nowhere'))).toEqual([]);
  });
});
