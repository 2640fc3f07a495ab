// What the client says of what it does by itself: once, and once more when that has changed.
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { waitFor } from '@hypercode/testkit';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  connectAgent,
  createSwarmClient,
  type SwarmClient,
  type SwarmError,
  type SwarmLogger,
} from '../../src/index.ts';

interface Line {
  readonly level: keyof SwarmLogger;
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

function recorder(): SwarmLogger & { readonly lines: Line[]; readonly warnings: Line[] } {
  const lines: Line[] = [];
  return {
    lines,
    get warnings() {
      return lines.filter(({ level }) => level === 'warn');
    },
    info: (fields, message) => void lines.push({ level: 'info', fields, message }),
    warn: (fields, message) => void lines.push({ level: 'warn', fields, message }),
  };
}

const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Something that is no core as long as `isAway`. */
async function coreThatIsAway() {
  const state = { isAway: true };
  const server: Server = createServer((request, response) => {
    if (state.isAway) return void request.socket.resetAndDestroy();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ results: [{ id: 'x', position: '1', duplicate: false }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('a core that cannot be reached', () => {
  test('is logged once, and once when it answers again', async () => {
    const { state, url } = await coreThatIsAway();
    const logger = recorder();
    const client = createSwarmClient({ url, token: 'secret-token', logger });
    closing.push(() => client.close());
    let interruptions = 0;
    const watching = client.watch({ onInterruption: () => void (interruptions += 1) }).next();
    const publishing = client.publish('a.b', 1);
    await waitFor(() => interruptions >= 4, { what: 'four interruptions' });
    expect(logger.lines).toEqual([
      {
        level: 'warn',
        fields: { url },
        message: expect.stringMatching(
          /^the core at http:.* could not be reached, or its answer was cut off: .*ECONNRESET.*; the client will retry$/,
        ),
      },
    ]);
    state.isAway = false;
    await publishing;
    expect(logger.lines[1]).toEqual({
      level: 'warn',
      fields: { url, afterMs: expect.any(Number) },
      message: `the core at ${url} answers again`,
    });
    await client.close();
    await watching;
  });

  test('is logged once for an agent, its heartbeats and its streams', async () => {
    const { url } = await coreThatIsAway();
    const logger = recorder();
    const errors: SwarmError[] = [];
    const end = new AbortController();
    const connecting = connectAgent({
      url,
      token: 'secret-token',
      name: 'lonely',
      role: 'worker',
      version: '1.0.0',
      logger,
      signal: end.signal,
      onError: (error) => errors.push(error),
    });
    await waitFor(() => errors.length >= 4, { what: 'four registrations in vain' });
    expect(logger.warnings).toHaveLength(1);
    expect(logger.warnings[0]?.message).toContain(url);
    end.abort();
    await expect(connecting).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('is not logged for a single call, whose caller has the error', async () => {
    const { url } = await coreThatIsAway();
    const logger = recorder();
    const client = createSwarmClient({ url, token: 'secret-token', logger });
    await expect(client.registry.query()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(logger.lines).toEqual([]);
    await client.close();
  });
});

describe('without a logger', () => {
  test('warnings go to the error output, and with `false` nowhere', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    closing.push(() => warn.mockRestore());
    const { url } = await coreThatIsAway();
    for (const logger of [undefined, false] as const) {
      const client = createSwarmClient({ url, token: 'secret-token', publishTimeoutMs: 300, logger });
      await expect(client.publish('a.b', 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await client.close();
    }
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/^hypercode: the core at http.* url=http/));
  });
});

describe('handlers', () => {
  let core: TestCore;
  let admin: SwarmClient;
  let logger: ReturnType<typeof recorder>;
  let client: SwarmClient;

  beforeAll(async () => {
    core = await sharedCore();
    admin = createSwarmClient({ url: core.url, token: core.adminToken, namespace: core.namespace });
    logger = recorder();
    client = createSwarmClient({ url: core.url, token: core.adminToken, namespace: core.namespace, logger });
  }, START_TIMEOUT_MS);
  afterEach(() => void logger.lines.splice(0));
  afterAll(async () => {
    await Promise.all([client?.close(), admin?.close()]);
  });

  test('what a consumer throws is logged once for each event, with topic and position', async () => {
    let calls = 0;
    const consumer = client.consume({ group: 'clumsy', topics: ['fall.*'], from: 'earliest', retryDelayMs: 0 }, () => {
      calls += 1;
      throw new Error('I fell');
    });
    const { id, position } = await admin.publish('fall.hard', 1);
    await waitFor(() => calls >= 3, { what: 'three attempts' });
    await consumer.stop();
    expect(logger.lines).toEqual([
      {
        level: 'warn',
        fields: { group: 'clumsy', topic: 'fall.hard', position, attempt: 1, error: 'I fell', id },
        message: 'the handler of a delivery failed',
      },
    ]);
  });

  test('what a listener throws is logged, at most ten times in ten seconds, and the next events follow', async () => {
    let calls = 0;
    const listener = client.on('trip.*', () => {
      calls += 1;
      throw new Error('I tripped');
    });
    await listener.attached;
    const published = await Promise.all(Array.from({ length: 30 }, (_, index) => admin.publish('trip.over', index)));
    await waitFor(() => calls === published.length, { what: 'all events' });
    listener.stop();
    await listener.closed;
    expect(logger.lines).toHaveLength(10);
    expect(logger.lines[0]).toMatchObject({ fields: { topic: 'trip.over', error: 'I tripped' } });
    expect(published.map(({ position }) => position)).toContain(logger.lines[0]?.fields['position']);
  });

  test('with onError they are not logged', async () => {
    const errors: unknown[] = [];
    const listener = client.on('slip.*', () => Promise.reject(new Error('I slipped')), {
      onError: (error) => errors.push(error),
    });
    await listener.attached;
    await admin.publish('slip.on', 1);
    await waitFor(() => errors.length === 1, { what: 'the error' });
    listener.stop();
    expect(logger.lines).toEqual([]);
  });

  test('that are refused for good are logged with the reason', async () => {
    const stranger = createSwarmClient({ url: core.url, namespace: core.namespace, token: 'nonsense', logger });
    const ends = [
      stranger.on('a.*', () => {}).closed,
      stranger.consume({ group: 'g', topics: ['a'] }, () => {}).closed,
    ];
    await expect(stranger.directory().ready).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await Promise.allSettled(ends);
    await waitFor(() => logger.warnings.length === 3, { what: 'three warnings' });
    expect(new Set(logger.warnings.map(({ fields }) => fields['code']))).toEqual(new Set(['UNAUTHENTICATED']));
    const listening = stranger.directory();
    const refused = Promise.withResolvers<unknown>();
    listening.on('error', refused.resolve);
    expect(await refused.promise).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(logger.warnings).toHaveLength(3);
    await stranger.close();
  });
});
