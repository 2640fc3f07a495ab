// Calls whose answers do not come, or come from something that is not a core. What the core itself answers is in the
// end-to-end tests.
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createSwarmClient, SwarmError } from '../../src/index.ts';

const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map(
      (server) =>
        new Promise((resolve) => {
          server.close(resolve);
          server.closeAllConnections();
        }),
    ),
  );
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What `call` is rejected with; it must be a SwarmError itself, and nothing derived from another library. */
async function rejection(call: Promise<unknown>): Promise<SwarmError> {
  const thrown: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof SwarmError)) throw new Error('not a SwarmError', { cause: thrown });
  return thrown;
}

const clientOf = (url: string) => createSwarmClient({ url, token: 'secret' });

describe('a call', () => {
  const faults: Record<string, [expected: object, listener: RequestListener]> = {
    'a reset connection': [{ code: 'UNAVAILABLE' }, (request) => request.socket.resetAndDestroy()],
    'garbage instead of HTTP': [{ code: 'UNAVAILABLE' }, (request) => request.socket.end('\0\0 what?\r\n\r\n')],
    'an answer that was cut off': [
      { code: 'UNAVAILABLE' },
      (request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
        response.write('[{"result":', () => request.socket.destroy());
      },
    ],
    "a proxy's page": [{ code: 'UNAVAILABLE' }, (_, response) => response.writeHead(502).end('<h1>Bad Gateway</h1>')],
    "a proxy's JSON": [{ code: 'UNAVAILABLE' }, (_, response) => response.writeHead(404).end('{"message":"no route"}')],
    "a proxy's own limit": [{ code: 'PAYLOAD_TOO_LARGE' }, (_, response) => response.writeHead(413).end()],
    'a batch without answers': [{ code: 'UNAVAILABLE' }, (_, response) => response.writeHead(200).end('[]')],
    'an answer that is not one': [{ code: 'UNAVAILABLE' }, (_, response) => response.writeHead(200).end('[42]')],
    'a problem in front of the procedures': [
      { code: 'RATE_LIMITED', message: 'slow down', retryAfterMs: 700 },
      (_, response) => {
        const problem = { title: 'slow', status: 429, code: 'RATE_LIMITED', detail: 'slow down', retryable: true };
        response.writeHead(429, { 'content-type': 'application/problem+json' });
        response.end(JSON.stringify({ ...problem, retryAfterMs: 700 }));
      },
    ],
    'too many requests': [
      { code: 'RATE_LIMITED', retryAfterMs: 3_000 },
      (_, response) => response.writeHead(429, { 'retry-after': '3' }).end(),
    ],
  };

  test.each(Object.keys(faults))('is refused with a SwarmError after %s', async (name) => {
    const [expected, listener] = faults[name] ?? [];
    const client = clientOf(await serve(listener ?? (() => {})));
    const errors = await Promise.all([
      rejection(client.registry.get({ name: 'a' })),
      rejection(client.registry.deregister({ name: 'a' })),
      rejection(client.registry.deregister({ name: 'a', reason: 'x'.repeat(8_000) })),
    ]);
    expect(errors).toMatchObject([expected, expected, expected]);
    await client.close();
  });

  test('is refused when no server listens', async () => {
    const url = await serve(() => {});
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const error = await rejection(clientOf(url).registry.get({ name: 'a' }));
    expect(error.code).toBe('UNAVAILABLE');
    expect(error.cause).toBeInstanceOf(Error);
  });

  test('gives up when its time is up, whatever its neighbours in the batch do', async () => {
    const received = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    const url = await serve((request) => {
      request.socket.on('close', closed.resolve);
      received.resolve();
    });
    const client = clientOf(url);
    const patient = rejection(client.registry.get({ name: 'a' }, { timeoutMs: Infinity }));
    const hasty = await rejection(client.registry.get({ name: 'b' }, { timeoutMs: 30 }));
    expect(hasty).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(hasty.message).toContain('30 ms');
    await received.promise;
    await client.close();
    expect((await patient).message).toBe('the client is closed');
    await closed.promise;
  });

  test('that timed out is followed by calls on new connections', async () => {
    const ports = new Set<number | undefined>();
    let held: (() => void)[] | null = [];
    let isFrozen = false;
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      const result = '{"result":{"data":{}}}';
      const answer = (): void => void response.end(request.url?.includes('batch=1') ? `[${result}]` : result);
      if (isFrozen) return;
      if (held === null) return answer();
      held.push(answer);
      if (held.length < 3) return;
      for (const one of held) one();
      held = null;
    });
    const client = clientOf(url);
    // Three connections: mutations with large inputs travel alone.
    const large = { name: 'a', reason: 'x'.repeat(8_000) };
    await Promise.all([large, large, large].map((input) => client.registry.deregister(input)));
    expect(ports.size).toBe(3);
    isFrozen = true;
    await rejection(client.registry.get({ name: 'a' }, { timeoutMs: 50 }));
    isFrozen = false;
    const before = new Set(ports);
    ports.clear();
    await client.registry.get({ name: 'a' });
    expect([...ports].some((port) => before.has(port))).toBe(false);
    await client.close();
  });

  test('that waits for events is given the time to', async () => {
    const url = await serve((request, response) => {
      // Later than a call may take, and within what the claim waits.
      const timer = setTimeout(() => response.end('{"result":{"data":{"deliveries":[]}}}'), 120);
      request.socket.on('close', () => clearTimeout(timer));
    });
    const client = createSwarmClient({ url, token: 'secret', timeoutMs: 60 });
    const claim = { group: 'g', topics: ['a'] };
    expect(await client.bus.claim({ ...claim, waitMs: 10_000 })).toMatchObject({ deliveries: [] });
    expect((await rejection(client.bus.claim({ ...claim, waitMs: 1 }))).message).toContain('61 ms');
    expect((await rejection(client.bus.claim({ ...claim, waitMs: 10_000 }, { timeoutMs: 30 }))).message).toContain(
      '30',
    );
    await client.close();
  });

  test('ends with its signal, also when that was aborted before', async () => {
    const client = clientOf(await serve(() => {}));
    const controller = new AbortController();
    const call = rejection(client.registry.get({ name: 'a' }, { signal: controller.signal }));
    const reason = new Error('changed my mind');
    controller.abort(reason);
    expect(await call).toMatchObject({ code: 'UNAVAILABLE', cause: reason });
    expect(await rejection(client.registry.get({ name: 'a' }, { signal: controller.signal }))).toMatchObject({
      cause: reason,
    });
    await client.close();
    expect((await rejection(client.registry.get({ name: 'a' }))).message).toBe('the client is closed');
  });

  test('that can not be sent is invalid', async () => {
    const client = clientOf('http://127.0.0.1:1');
    const circular: Record<string, unknown> = { name: 'a' };
    circular['self'] = circular;
    expect(await rejection(client.registry.get(circular as { name: string }))).toMatchObject({ code: 'INVALID_INPUT' });
    const throwing = createSwarmClient({
      url: 'http://127.0.0.1:1',
      token: () => Promise.reject(new Error('no vault')),
    });
    expect(await rejection(throwing.registry.get({ name: 'a' }))).toMatchObject({
      code: 'UNAVAILABLE',
      cause: { message: 'no vault' },
    });
  });
});

test('the signal of a token function is aborted when no call waits for it', async () => {
  const signals: AbortSignal[] = [];
  const token = (_: string | undefined, signal: AbortSignal): Promise<string> => {
    signals.push(signal);
    return new Promise(() => {});
  };
  const client = createSwarmClient({ url: 'http://127.0.0.1:1', token });
  const controllers = [new AbortController(), new AbortController()];
  const calls = controllers.map(({ signal }) => rejection(client.registry.get({ name: 'a' }, { signal })));
  await vi.waitFor(() => expect(signals).toHaveLength(1), { timeout: 10_000 });
  controllers[0]?.abort();
  await calls[0];
  expect(signals[0]?.aborted).toBe(false);
  controllers[1]?.abort();
  await calls[1];
  expect(signals[0]?.aborted).toBe(true);
  const listener = client.on('a.b', () => {});
  await vi.waitFor(() => expect(signals).toHaveLength(2), { timeout: 10_000 });
  await client.close();
  await listener.closed;
  const hasty = createSwarmClient({ url: 'http://127.0.0.1:1', token, timeoutMs: 1, publishTimeoutMs: 50 });
  await rejection(hasty.publish('a.b', 1));
  await hasty.close();
  expect(signals.length).toBeGreaterThan(2);
  expect(signals.every(({ aborted }) => aborted)).toBe(true);
});

test('an address that is none is refused at once', () => {
  for (const url of ['', 'localhost:7700', 'ftp://core']) {
    expect(() => clientOf(url)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  }
});

test('a path in front of the routes is kept', async () => {
  const paths: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    paths.push(request.url?.split('?')[0]);
    response.writeHead(502).end();
  });
  await rejection(clientOf(`${url}/swarm?x=1`).registry.get({ name: 'a' }));
  await rejection(clientOf(`${url}/swarm/`).registry.get({ name: 'a' }));
  expect(paths).toEqual(['/swarm/trpc/registry.get', '/swarm/trpc/registry.get']);
});

test('a procedure that is in no group is called by its name alone', async () => {
  const paths: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    paths.push(request.url?.split('?', 1)[0]);
    response.setHeader('content-type', 'application/json').end('[{"result":{"data":{"kind":"viewer"}}}]');
  });
  const client = clientOf(url);
  expect(await client.whoami()).toEqual({ kind: 'viewer' });
  expect(paths).toEqual(['/trpc/whoami']);
  await client.close();
});
