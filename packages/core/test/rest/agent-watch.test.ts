// The REST watch on a whole core: snapshot, changes, resumption, refusals.
import { WatchEvent } from '@hypercode/contracts';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { expectProblem, sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';
import { type Frame, framesOf } from '../frames.ts';

let core: TestCore;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

/** Opens a stream; it is cancelled when the test ends. */
async function watch(query: string, headers: Record<string, string> = {}, token = core.viewerToken) {
  const gone = new AbortController();
  const answer = await core.fetch(`/v1/agents/watch?${query}`, { token, headers, signal: gone.signal });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const frames = framesOf(answer);
  onTestFinished(() => gone.abort());
  return {
    close: () => gone.abort(),
    /** The next value that is no bookmark. */
    next: async (): Promise<Frame & { data: WatchEvent }> => {
      for (;;) {
        const frame = await frames.next();
        if (frame.done === true) throw new Error('the stream has ended');
        const data = WatchEvent.parse(frame.value.data);
        expect(frame.value.event).toBe(data.type);
        if (data.type !== 'bookmark') return { ...frame.value, data };
      }
    },
    raw: frames,
  };
}

async function register(namespace: string, name: string, fields: object = {}): Promise<number> {
  const json = { name, role: 'worker', version: '1.0.0', ...fields };
  const answer = await core.fetch('/v1/agents', { namespace, method: 'POST', json });
  const { agent } = (await answer.json()) as { agent: { revision: number } };
  return agent.revision;
}

const metric = async (name: string): Promise<number> => {
  const text = await (await core.fetch('/metrics', { token: null })).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.split(' ')[1]);
};

describe('GET /v1/agents/watch', () => {
  it('sends a snapshot, `synced` and every change', async () => {
    const namespace = core.freshNamespace();
    const before = await register(namespace, 'alpha');
    const stream = await watch(`namespace=${namespace}`);
    const snapshot = await stream.next();
    expect(snapshot).toMatchObject({ event: 'snapshot', id: 'snapshot' });
    expect(snapshot.data).toMatchObject({ revision: before, reset: false, agents: [{ name: 'alpha' }] });
    expect(await stream.next()).toMatchObject({ event: 'synced', id: String(before) });
    const revision = await register(namespace, 'beta');
    expect(await stream.next()).toMatchObject({
      event: 'change',
      id: String(revision),
      data: { revision, change: 'registered', agent: { name: 'beta' } },
    });
    await core.fetch('/v1/agents/beta', { namespace, method: 'DELETE' });
    expect((await stream.next()).data).toMatchObject({ change: 'deregistered', agent: { name: 'beta' } });
  });

  it('filters, and reports agents that stop matching as left', async () => {
    const namespace = core.freshNamespace();
    const stream = await watch(`namespace=${namespace}&role=worker&labels=zone=a`);
    expect((await stream.next()).data).toMatchObject({ type: 'snapshot', agents: [] });
    expect((await stream.next()).data.type).toBe('synced');
    await register(namespace, 'other', { labels: { zone: 'b' } });
    await register(namespace, 'mine', { labels: { zone: 'a' } });
    expect((await stream.next()).data).toMatchObject({ change: 'registered', agent: { name: 'mine' } });
    await register(namespace, 'mine', { labels: { zone: 'b' } });
    expect((await stream.next()).data).toMatchObject({ change: 'left', agent: { name: 'mine' } });
  });

  it('goes on after Last-Event-ID, which beats since', async () => {
    const namespace = core.freshNamespace();
    const revisions = [];
    for (const name of ['a', 'b', 'c']) revisions.push(await register(namespace, name));
    const [first, second, third] = revisions;
    const bySince = await watch(`namespace=${namespace}&since=${first}`);
    expect(await bySince.next()).toMatchObject({ id: String(second), data: { agent: { name: 'b' } } });
    expect(await bySince.next()).toMatchObject({ id: String(third), data: { agent: { name: 'c' } } });
    expect((await bySince.next()).data).toMatchObject({ type: 'synced', revision: third });

    const byId = await watch(`namespace=${namespace}&since=1`, { 'last-event-id': String(second) });
    expect(await byId.next()).toMatchObject({ id: String(third) });
    expect((await byId.next()).data.type).toBe('synced');

    const byParameter = await watch(`namespace=${namespace}&since=1&lastEventId=${String(second)}`);
    expect(await byParameter.next()).toMatchObject({ id: String(third) });
    expect((await byParameter.next()).data.type).toBe('synced');
  });

  it('begins anew, and says so, when the cursor is ahead of the store or inside a snapshot', async () => {
    const namespace = core.freshNamespace();
    await register(namespace, 'a');
    for (const cursor of ['999999', 'snapshot']) {
      const stream = await watch(`namespace=${namespace}`, { 'last-event-id': cursor });
      expect((await stream.next()).data).toMatchObject({ type: 'snapshot', reset: true, agents: [{ name: 'a' }] });
      expect((await stream.next()).data.type).toBe('synced');
    }
  });

  it('sends bookmarks', async () => {
    const stream = await watch(`namespace=${core.freshNamespace()}`);
    await stream.next();
    await stream.next();
    const { value } = await stream.raw.next();
    expect(value).toMatchObject({ event: 'bookmark', id: '0', data: { type: 'bookmark', revision: 0 } });
  });

  it.each([
    ['since=yesterday', {}, 'since'],
    ['since=-1', {}, 'since'],
    ['role=Boss', {}, 'role'],
    ['labels=zone', {}, 'labels'],
    ['namespace=A', {}, 'namespace'],
    ['', { 'last-event-id': 'bogus' }, 'lastEventId'],
    ['', { 'last-event-id': '-1' }, 'lastEventId'],
    ['', { 'last-event-id': '9'.repeat(16) }, 'lastEventId'],
    ['', { 'last-event-id': 'x'.repeat(513) }, 'lastEventId'],
  ])('answers %s with %j like any other call', async (query, headers: Record<string, string>, path) => {
    const answer = await core.fetch(`/v1/agents/watch?${query}`, { headers });
    const problem = await expectProblem(answer, 'INVALID_INPUT');
    expect(problem.details).toMatchObject([{ path }]);
  });

  it('has no HEAD, which would never end', async () => {
    expect((await core.fetch('/v1/agents/watch', { method: 'HEAD' })).status).toBe(400);
    expect((await core.fetch('/trpc/registry.watch', { method: 'HEAD' })).status).toBeLessThan(500);
  });

  it('ends with the refusal when the token is revoked', async () => {
    const json = { kind: 'viewer', name: 'to be revoked' };
    const created = (await (await core.fetch('/v1/tokens', { method: 'POST', json })).json()) as Record<string, string>;
    const stream = await watch('', {}, created['token']);
    await stream.next();
    await core.fetch(`/v1/tokens/${created['id']}`, { method: 'DELETE' });
    let last: Frame | undefined;
    for await (const frame of stream.raw) last = frame;
    expect(last).toMatchObject({ event: 'error', data: { code: 'UNAUTHENTICATED', retryable: false } });
  });

  it('is counted while it is open', async () => {
    const name = 'swarm_streams{stream="watch",transport="sse_rest"}';
    await vi.waitFor(async () => expect(await metric(name)).toBe(0), 5000);
    const stream = await watch('');
    await stream.next();
    expect(await metric(name)).toBe(1);
    expect(await metric('swarm_stream_values_total{stream="watch",transport="sse_rest"}')).toBeGreaterThan(0);
    expect(await metric('swarm_stream_sent_bytes_total{stream="watch",transport="sse_rest"}')).toBeGreaterThan(100);
    stream.close();
    await vi.waitFor(async () => expect(await metric(name)).toBe(0), 5000);
  });
});
