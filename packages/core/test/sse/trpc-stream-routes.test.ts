// The watch over SSE as tRPC's clients use it: the same bytes as tRPC's own, and the same behaviour.
import { CreateTokenResult, type WatchEvent } from '@hypercode/contracts';
import { createTRPCClient, httpSubscriptionLink, type TRPCClientError } from '@trpc/client';
import { EventSource } from 'eventsource';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { AppRouter } from '@hypercode/server';
import { answerByTrpc } from '@hypercode/server/testing';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

function register(namespace: string, name: string, more: Record<string, unknown> = {}) {
  const json = { namespace, name, role: 'coder', version: '1.0.0', ...more };
  return core.fetch('/trpc/registry.register', { method: 'POST', json }).then((answer) => {
    expect(answer.status).toBe(200);
  });
}

/** Collects the values of a stream, until it is stopped. */
function collect(answer: Response) {
  const collected = { text: '', done: false, stop: () => Promise.resolve() };
  const reader = answer.body?.getReader();
  if (reader === undefined) throw new Error('the answer has no body');
  const decoder = new TextDecoder();
  const pump = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      collected.text += decoder.decode(value, { stream: true });
    }
    collected.done = true;
  };
  const pumping = pump().catch(() => undefined);
  collected.stop = async () => {
    await reader.cancel().catch(() => undefined);
    await pumping;
  };
  return collected;
}

const pathTo = (input: object, extra: Record<string, string> = {}) =>
  `/trpc/registry.watch?${new URLSearchParams({ input: JSON.stringify(input), ...extra }).toString()}`;

/** The same call answered by tRPC's own subscription path. */
const answeredByTrpc = (path: string, headers: Record<string, string>): Promise<Response> =>
  answerByTrpc(core, new Request(`${core.url}${path}`, { headers }));

describe('the shared frames', () => {
  test.each([
    ['a plain watch', {}],
    ['a filtered watch', { labels: { zone: 'a' } }],
  ])('are byte for byte what tRPC itself sends: %s', async (_case, filter) => {
    const namespace = core.freshNamespace();
    await register(namespace, 'first', { labels: { zone: 'a' }, description: 'Ünïcode 🦊 \n and \u2028 lines' });
    const path = pathTo({ namespace, ...filter });
    const headers = { authorization: `Bearer ${core.viewerToken}` };
    const shared = collect(await core.fetch(path, { token: core.viewerToken }));
    const own = collect(await answeredByTrpc(path, headers));
    await vi.waitFor(() => expect(own.text).toContain('"synced"'));
    await vi.waitFor(() => expect(shared.text).toContain('"synced"'));

    await register(namespace, 'second', { labels: { zone: 'b' } });
    await register(namespace, 'first', { labels: { zone: 'b' } });
    await register(namespace, 'first', { labels: { zone: 'a' } });
    await core.registry.registrations.deregister({ namespace, name: 'first', reason: 'done' });
    for (const stream of [shared, own]) {
      await vi.waitFor(() => expect(stream.text).toMatch(/"bookmark","revision":5/));
      await stream.stop();
    }
    const upToBookmark = (text: string) => text.slice(0, text.indexOf('"bookmark","revision":5'));
    // An early bookmark depends on when the clock ticks for which stream.
    const values = (text: string) =>
      upToBookmark(text).replaceAll(/data: \{"type":"bookmark"[^\n]*\nid: \d+\n\n\n/g, '');
    expect(values(shared.text)).toBe(values(own.text));
    expect(shared.text.match(/"change":"[a-z]+"/g)).toEqual(
      'labels' in filter
        ? ['"change":"left"', '"change":"updated"', '"change":"deregistered"']
        : ['"change":"registered"', '"change":"updated"', '"change":"updated"', '"change":"deregistered"'],
    );
  });

  test.each([
    ['an unknown token', {}, () => `swview_${'x'.repeat(43)}`],
    ['a wrong input', { role: 'NOT A ROLE' }, () => core.viewerToken],
    ['a wrong cursor', { lastEventId: 'elsewhere' }, () => core.viewerToken],
  ])('carry a refusal as tRPC shapes it, with status 200: %s', async (_case, input, token) => {
    const headers = { authorization: `Bearer ${token()}` };
    const path = pathTo({ namespace: core.freshNamespace(), ...input });
    const shared = await fetch(`${core.url}${path}`, { headers });
    expect(shared.status).toBe(200);
    const text = await shared.text();
    const data = /event: serialized-error\ndata: (.*)\n/.exec(text)?.[1];
    const own = await (await answeredByTrpc(path, headers)).text();
    const expected = own.startsWith('{')
      ? JSON.stringify(JSON.parse(own).error)
      : /serialized-error\ndata: (.*)\n/.exec(own)?.[1];
    expect(JSON.parse(data ?? 'null')).toEqual(JSON.parse(expected ?? 'null'));
    expect(text).not.toContain('event: return');
  });
});

/** Stands between client and core, and can cut every connection. */
async function startCuttableProxy() {
  const open = new Set<Socket>();
  const proxy = createServer((client) => {
    const upstream = connect(core.port, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/trpc`,
    cut,
    close: () => {
      cut();
      return new Promise((resolve) => proxy.close(resolve));
    },
  };
}

function subscribe(url: string, token: string, input: object) {
  const client = createTRPCClient<AppRouter>({
    links: [httpSubscriptionLink({ url, EventSource, connectionParams: { token } })],
  });
  const received: { id: string; data: WatchEvent }[] = [];
  const errors: TRPCClientError<AppRouter>[] = [];
  const subscription = client.registry.watch.subscribe(input, {
    onData: (value) => {
      if (value.data.type !== 'bookmark') received.push(value);
    },
    onError: (error) => errors.push(error),
  });
  return { received, errors, unsubscribe: () => subscription.unsubscribe() };
}

describe("tRPC's own client", () => {
  test(
    'receives typed, tracked values, and resumes after each cut without a gap or a repeat',
    { timeout: 60_000 },
    async () => {
      const namespace = core.freshNamespace();
      const proxy = await startCuttableProxy();
      const { received, errors, unsubscribe } = subscribe(proxy.url, core.viewerToken, { namespace });
      await vi.waitFor(() => expect(received.map(({ data }) => data.type)).toEqual(['snapshot', 'synced']), 10_000);
      const changes = () => received.flatMap(({ data }) => (data.type === 'change' ? [data.revision] : []));
      for (let cut = 1; cut <= 3; cut += 1) {
        await Promise.all(Array.from({ length: 10 }, (_, index) => register(namespace, `agent-${cut}-${index}`)));
        proxy.cut();
        await Promise.all(Array.from({ length: 10 }, (_, index) => register(namespace, `away-${cut}-${index}`)));
        await vi.waitFor(() => expect(changes().length).toBe(cut * 20), 15_000);
      }
      expect(changes()).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
      expect(received.filter(({ data }) => data.type === 'snapshot')).toHaveLength(1);
      expect(errors).toEqual([]);
      unsubscribe();
      await proxy.close();
    },
  );

  test('a subscription whose token is refused ends with one error, without a retry', async () => {
    const { errors, received, unsubscribe } = subscribe(`${core.url}/trpc`, 'no token at all', {
      namespace: core.namespace,
    });
    await vi.waitFor(() => expect(errors).toHaveLength(1));
    expect(errors[0]?.data?.swarm.code).toBe('UNAUTHENTICATED');
    expect(received).toEqual([]);
    unsubscribe();
  });

  test('a subscription whose token is revoked ends with an error', async () => {
    const { namespace } = core;
    const json = { namespace, kind: 'viewer', name: 'soon gone' };
    const created = await core.fetch('/trpc/tokens.create', { method: 'POST', json });
    const { id, token } = CreateTokenResult.parse(
      ((await created.json()) as { result: { data: unknown } }).result.data,
    );
    const { errors, received, unsubscribe } = subscribe(`${core.url}/trpc`, token, { namespace });
    await vi.waitFor(() => expect(received.some(({ data }) => data.type === 'synced')).toBe(true));
    await core.fetch('/trpc/tokens.revoke', { method: 'POST', json: { namespace, id } });
    await vi.waitFor(() => expect(errors[0]?.data?.swarm.code).toBe('UNAUTHENTICATED'), 2000);
    unsubscribe();
  });
});

test('an EventSource that reconnects resumes by its header, though its address still has the old cursor', async () => {
  const namespace = core.freshNamespace();
  for (const name of ['a', 'b', 'c']) await register(namespace, name);
  const stream = collect(
    await core.fetch(pathTo({ namespace, lastEventId: '0' }, { lastEventId: '1' }), {
      headers: { 'last-event-id': '2' },
    }),
  );
  await vi.waitFor(() => expect(stream.text).toContain('"synced"'));
  await stream.stop();
  expect(stream.text.match(/"change","revision":\d/g)).toEqual(['"change","revision":3']);
});

test('a watcher that goes is forgotten at once', async () => {
  await vi.waitFor(() => expect(core.registry.watches.size).toBe(0));
  const stream = collect(await core.fetch(pathTo({ namespace: core.freshNamespace() })));
  await vi.waitFor(() => expect(core.registry.watches.size).toBe(1));
  await stream.stop();
  await vi.waitFor(() => expect(core.registry.watches.size).toBe(0));
});
