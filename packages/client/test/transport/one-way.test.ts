// Calls, hot calls and streams talk to the core in one way: with the same headers, through no redirect, with the same errors.
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import {
  connectAgent,
  createSwarmClient,
  type SwarmClient,
  type SwarmClientOptions,
  SwarmError,
} from '../../src/index.ts';

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

/** Each way in which a client talks to the core, to its first error. */
const WAYS: Readonly<Record<string, (client: SwarmClient) => Promise<unknown>>> = {
  query: (client) => client.registry.query({}),
  mutation: (client) => client.tokens.revoke({ id: 'x' }),
  'large mutation': (client) => client.registry.deregister({ name: 'a', reason: 'x'.repeat(8_000) }),
  publish: (client) => client.publish('a.b', 1),
  claim: (client) => client.bus.claim({ group: 'g', topics: ['a'] }),
  watch: async (client) => client.watch().next(),
  subscription: async (client) => client.subscribe({ topics: ['a'] }).next(),
  consumer: (client) => client.consume({ group: 'g', topics: ['a'], onError: () => {} }, () => {}).closed,
};

const SECRET = 'hunter2-token';

/** What each way ends in; a stream goes on trying what is retryable, so it gets the reason that it is interrupted with. */
async function errorsOf(
  options: Omit<SwarmClientOptions, 'token'> & Partial<SwarmClientOptions>,
): Promise<Record<string, SwarmError>> {
  const errors: Record<string, SwarmError> = {};
  for (const [name, way] of Object.entries(WAYS)) {
    const client = createSwarmClient({
      token: SECRET,
      timeoutMs: 2_000,
      publishTimeoutMs: 300,
      logger: false,
      ...options,
    });
    errors[name] = await way(client).then(
      () => expect.unreachable(name),
      (error: unknown) => SwarmError.from(error),
    );
    await client.close();
  }
  return errors;
}

const REFUSAL = JSON.stringify({ code: 'FORBIDDEN', detail: 'not here', retryable: false, status: 403, title: 'x' });

test('the headers of the client are sent in every way, once', async () => {
  const seen: IncomingHttpHeaders[] = [];
  const url = await serve((request, response) => {
    seen.push(request.headers);
    response.writeHead(403, { 'content-type': 'application/problem+json' }).end(REFUSAL);
  });
  const errors = await errorsOf({ url, headers: { 'X-Team': 'bees' } });
  expect(Object.values(errors).map(({ code }) => code)).toEqual(Object.keys(WAYS).map(() => 'FORBIDDEN'));
  expect(seen).toHaveLength(Object.keys(WAYS).length);
  for (const headers of seen) expect(headers).toMatchObject({ 'x-team': 'bees', authorization: `Bearer ${SECRET}` });
});

describe.each<[string, Partial<SwarmClientOptions>]>([
  ['in Node.js', {}],
  ['through a fetch', { fetch: (input, init) => fetch(input, init) }],
])('a permanent redirect, %s,', (_, options) => {
  test('is refused in every way, and the refusal names the address to use', async () => {
    let arrived = 0;
    const target = await serve((_request, response) => {
      arrived += 1;
      response.end();
    });
    const url = await serve((request, response) => {
      response.writeHead(308, { location: `${target}${String(request.url)}` }).end();
    });
    for (const [way, error] of Object.entries(await errorsOf({ url, ...options }))) {
      expect([way, error.code, error.details]).toEqual([
        way,
        'INVALID_INPUT',
        [{ path: 'url', reason: `redirects to ${target}` }],
      ]);
    }
    expect(arrived).toBe(0);
  });
});

test('an agent whose core is behind a permanent redirect ends with the address to use', async () => {
  const url = await serve((_, response) => void response.writeHead(301, { location: 'https://core.example/' }).end());
  const connecting = connectAgent({ url, token: SECRET, name: 'a', role: 'worker', version: '1.0.0', logger: false });
  await expect(connecting).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('https://core.example'),
  });
});

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test.each<[string, Partial<SwarmClientOptions>]>([
  ['in Node.js', {}],
  ['through a fetch', { fetch: (input, init) => fetch(input, init) }],
])('a core that cannot be reached is named with the reason, without the token: %s', async (_, options) => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const client = createSwarmClient({ url, token: SECRET, publishTimeoutMs: 200, logger: false, ...options });
  for (const way of ['query', 'mutation', 'claim', 'publish']) {
    const error = await WAYS[way]?.(client).then(
      () => expect.unreachable(),
      (thrown: unknown) => SwarmError.from(thrown),
    );
    const shown = inspect(error, { depth: 9, showHidden: true });
    expect(shown).not.toContain(SECRET);
    expect(error?.message).toContain(`the core at ${url} could not be reached`);
    expect(error?.message).toContain('ECONNREFUSED');
  }
  const { promise, resolve } = Promise.withResolvers<SwarmError>();
  const watch = client.watch({ onInterruption: resolve });
  const end = watch.next();
  expect((await promise).message).toContain('ECONNREFUSED');
  await client.close();
  await end;
});

test('a host without an address is named with the reason', async () => {
  const client = createSwarmClient({ url: 'http://core.invalid:7700', token: SECRET, timeoutMs: 8_000 });
  const error = await client.registry.query().catch((thrown: unknown) => SwarmError.from(thrown));
  // A resolver without a network answers EAI_AGAIN.
  expect(error).toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/core\.invalid.*(ENOTFOUND|EAI_AGAIN)/),
  });
  await client.close();
});

test('an https address of a server without TLS is named with the reason', async () => {
  const url = (await serve(() => {})).replace('http:', 'https:');
  const client = createSwarmClient({ url, token: SECRET });
  const error = await client.registry.query().catch((thrown: unknown) => SwarmError.from(thrown));
  expect(error).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(/wrong version number|EPROTO/) });
  await client.close();
});

test('a token function is held to what a token can be, and its answer is not shown', async () => {
  const answers: unknown[] = ['', `${SECRET}\nx`, 7];
  for (const answer of answers) {
    const client = createSwarmClient({ url: 'http://127.0.0.1:1', token: () => answer as string, logger: false });
    for (const [name, way] of Object.entries(WAYS)) {
      const error: unknown = await way(client).then(
        () => expect.unreachable(name),
        (thrown: unknown) => thrown,
      );
      expect([name, error]).toMatchObject([name, { code: 'INVALID_INPUT', details: [{ path: 'token' }] }]);
      expect(inspect(error, { depth: 9 })).not.toContain(SECRET);
    }
    await client.close();
  }
});
