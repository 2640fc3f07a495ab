// Bad input on a whole core: the documented refusal over REST and tRPC, alone and in a batch, and nothing is stored.
import { ERROR_CODES, type ErrorCode, LIMITS, procedures, QueryResult, SwarmErrorBody } from '@hypercode/contracts';
import { createConnection } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { expectProblem, sharedCore, START_TIMEOUT_MS, type TestCore } from '../testing/core.ts';

let core: TestCore;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

const VALID = { name: 'bad-input', role: 'worker', version: '1.0.0' };
const capability = (fields: object) => ({ capabilities: [{ id: 'a', ...fields }] });
const list = <T>(length: number, item: (index: number) => T): T[] => Array.from({ length }, (_, index) => item(index));
const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = { a: value };
  return value;
};
/** Nested deeper than JSON.stringify can go. */
const abyss = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const tokens = (count: number): string => list(count, () => 'a').join('.');

/** Fields over those of a valid registration, and where the refusal must point. */
const INVALID: [string, object, string][] = [
  ...['name', 'role', 'namespace'].flatMap((field): [string, object, string][] => [
    [`an empty ${field}`, { [field]: '' }, field],
    [`a long ${field}`, { [field]: 'a'.repeat(64) }, field],
    [`a ${field} in upper case`, { [field]: 'Agent' }, field],
    [`a ${field} that begins with "-"`, { [field]: '-a' }, field],
    [`a ${field} that ends with "-"`, { [field]: 'a-' }, field],
    [`a ${field} with "_"`, { [field]: 'a_b' }, field],
    [`a ${field} with a line feed`, { [field]: 'a\n' }, field],
    [`a ${field} beyond ASCII`, { [field]: 'agént' }, field],
    [`a ${field} with NUL`, { [field]: 'a\0b' }, field],
    [`a number as ${field}`, { [field]: 1 }, field],
    [`null as ${field}`, { [field]: null }, field],
    [`a list as ${field}`, { [field]: ['a'] }, field],
  ]),
  ['an agent called watch', { name: 'watch' }, 'name'],
  ['no version', { version: undefined }, 'version'],
  ['a version that is none', { version: '1.0' }, 'version'],
  ['a long version', { version: `1.0.0-${'a'.repeat(256)}` }, 'version'],
  ['a long description', { description: 'x'.repeat(4097) }, 'description'],
  ['a description with NUL', { description: 'a\0b' }, 'description'],
  ['a description with a lone surrogate', { description: 'a\ud800b' }, 'description'],
  ['a description that is an object', { description: {} }, 'description'],
  ['a healthUrl of another scheme', { healthUrl: 'ftp://host/' }, 'healthUrl'],
  ['a healthUrl with credentials', { healthUrl: 'http://user:secret@host/' }, 'healthUrl'],
  ['a healthUrl that is none', { healthUrl: 'http://' }, 'healthUrl'],
  ['a long healthUrl', { healthUrl: `http://host/${'a'.repeat(2048)}` }, 'healthUrl'],
  ['topics that are a list', { topics: ['a'] }, 'topics'],
  ['null as topics', { topics: null }, 'topics'],
  ['65 patterns', { topics: { publishes: list(65, (index) => `t${index}`) } }, 'topics.publishes'],
  ['a pattern of 17 tokens', { topics: { subscribes: [tokens(17)] } }, 'topics.subscribes.0'],
  ['a pattern of 256 characters', { topics: { subscribes: ['a'.repeat(256)] } }, 'topics.subscribes.0'],
  ['an empty pattern', { topics: { subscribes: [''] } }, 'topics.subscribes.0'],
  ['a pattern with an empty token', { topics: { subscribes: ['a..b'] } }, 'topics.subscribes.0'],
  ['a pattern that goes on after ">"', { topics: { subscribes: ['a.>.b'] } }, 'topics.subscribes.0'],
  ['a pattern with half a wildcard', { topics: { subscribes: ['a.b*'] } }, 'topics.subscribes.0'],
  ['257 capabilities', { capabilities: list(257, (index) => `c${index}`) }, 'capabilities'],
  ['a capability twice', { capabilities: ['a', { id: 'a' }] }, 'capabilities'],
  ['a capability without an id', { capabilities: [{}] }, 'capabilities.0.id'],
  ['a capability with a bad id', { capabilities: ['a b'] }, 'capabilities.0'],
  ['a capability with a long id', { capabilities: [{ id: 'a'.repeat(129) }] }, 'capabilities.0.id'],
  ['33 tags', capability({ tags: list(33, (index) => `t${index}`) }), 'capabilities.0.tags'],
  ['a long tag', capability({ tags: ['x'.repeat(65)] }), 'capabilities.0.tags.0'],
  ['a schema that is a list', capability({ inputSchema: [] }), 'capabilities.0.inputSchema'],
  ['a schema that is null', capability({ outputSchema: null }), 'capabilities.0.outputSchema'],
  ['a schema with NUL', capability({ inputSchema: { a: ['\0'] } }), 'capabilities.0.inputSchema.a.0'],
  ['a schema with NUL in a key', capability({ inputSchema: { '\0': 1 } }), 'capabilities.0.inputSchema'],
  [
    'a schema with a lone surrogate',
    capability({ outputSchema: { a: { b: '\udc00' } } }),
    'capabilities.0.outputSchema.a.b',
  ],
  ['a deep schema', capability({ inputSchema: nested(LIMITS.jsonDepth + 1) }), 'capabilities.0.inputSchema'],
  ['33 labels', { labels: Object.fromEntries(list(33, (index) => [`l${index}`, ''])) }, 'labels'],
  ['a long label', { labels: { a: 'x'.repeat(257) } }, 'labels.a'],
  ['a label with NUL', { labels: { a: '\0' } }, 'labels.a'],
  ['a label that is a number', { labels: { a: 1 } }, 'labels.a'],
  ['a bad label key', { labels: { A: 'x' } }, 'labels.A'],
  ['labels that are a list', { labels: ['a'] }, 'labels'],
  ['an incarnation that is no UUID', { incarnation: 'first' }, 'incarnation'],
  ['an unknown field', { capability: [] }, 'capability'],
  ['an unknown field of topics', { topics: { publish: [] } }, 'topics.publish'],
  ['an unknown field of a capability', capability({ schema: {} }), 'capabilities.0.schema'],
];

const body = (fields: object): string => JSON.stringify({ ...VALID, namespace: core.namespace, ...fields });

const TrpcError = z.object({
  error: z.object({
    message: z.string(),
    code: z.number(),
    data: z.object({ code: z.string(), httpStatus: z.number(), swarm: SwarmErrorBody }),
  }),
});

const post = (path: string, text: string, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
  core.fetch(path, { namespace: null, method: 'POST', body: text, headers });

function expectShape(shape: unknown, code: ErrorCode): SwarmErrorBody {
  const { data } = TrpcError.parse(shape).error;
  const { http, retryable } = ERROR_CODES[code];
  expect(data.swarm).toMatchObject({ code, retryable });
  expect(data.httpStatus).toBe(http);
  return data.swarm;
}

async function expectTrpcRefusal(answer: Response, code: ErrorCode): Promise<SwarmErrorBody> {
  const swarm = expectShape(await answer.json(), code);
  expect(answer.status).toBe(ERROR_CODES[code].http);
  return swarm;
}

/** What a batch of a registration and a heartbeat may have. */
const BATCH_BYTES = LIMITS.registrationBytes + LIMITS.inputBytes + 2 * 16;

/** Ways to send a registration; each expects it to be refused. */
const TRANSPORTS: Record<string, (text: string, code: ErrorCode) => Promise<SwarmErrorBody>> = {
  REST: async (text, code) => {
    const { detail, ...problem } = await expectProblem(await post('/v1/agents', text), code);
    return { ...problem, message: detail };
  },
  tRPC: async (text, code) => expectTrpcRefusal(await post('/trpc/registry.register', text), code),
  'a tRPC batch': async (text, code) => {
    const answer = await post('/trpc/registry.register,registry.heartbeat?batch=1', `{"0":${text},"1":{}}`);
    // More than its calls may have together is refused before it is split.
    if (text.length > BATCH_BYTES) return expectTrpcRefusal(answer, code);
    const [first, second] = z.array(z.unknown()).parse(await answer.json());
    expectShape(second, 'FORBIDDEN');
    return expectShape(first, code);
  },
};

describe.each(Object.entries(TRANSPORTS))('over %s', (transport, refused) => {
  it.each(INVALID)('%s is INVALID_INPUT', async (_label, fields, path) => {
    const { details } = await refused(body(fields), 'INVALID_INPUT');
    expect(details).toEqual(expect.arrayContaining([{ path, reason: expect.any(String) }]));
  });

  it.each([
    ['no object', '[]'],
    ['null', 'null'],
    ['a string', '"agent"'],
    ['a number beyond any', '1e999'],
  ])('%s is INVALID_INPUT', async (_label, text) => {
    await refused(text, 'INVALID_INPUT');
  });

  it('an abyss is INVALID_INPUT', async () => {
    const schema = abyss(10_000);
    const text = body({ name: 'abyss', ...capability({ inputSchema: 'here' }) }).replace('"here"', schema);
    await refused(text, 'INVALID_INPUT');
  });

  it.each([
    ['one byte too much', LIMITS.registrationBytes + 1],
    ['1 MiB', 1024 * 1024],
  ])('%s is PAYLOAD_TOO_LARGE', async (_label, bytes) => {
    const padding = bytes - body({ unknown: '' }).length;
    const text = body({ unknown: 'x'.repeat(padding) });
    expect(text).toHaveLength(bytes);
    const { details } = await refused(text, 'PAYLOAD_TOO_LARGE');
    const isWholeBatch = transport === 'a tRPC batch' && bytes > BATCH_BYTES;
    expect(details).toEqual({ limit: isWholeBatch ? BATCH_BYTES : 524_288 });
  });
});

describe('more than a call may say, over tRPC', () => {
  // An administrator sends no heartbeats, and a caller that may not call is refused first.
  const mutations = procedures.filter(([, { kind, rights }]) => kind === 'mutation' && rights.admin !== undefined);

  it.each(mutations)('is PAYLOAD_TOO_LARGE for %s', async (path, { maxInputBytes: limit = LIMITS.inputBytes }) => {
    const answer = await post(`/trpc/${path}`, JSON.stringify({ unknown: 'x'.repeat(limit) }));
    expect(await answer.json()).toMatchObject({
      error: { data: { swarm: { code: 'PAYLOAD_TOO_LARGE', details: { limit } } } },
    });
  });

  it('the policy of a caller that may not put one is not parsed', async () => {
    const answer = await core.fetch('/trpc/policy.put', {
      method: 'POST',
      token: core.viewerToken,
      json: { policy: 1 },
    });
    expect(await answer.json()).toMatchObject({ error: { data: { swarm: { code: 'FORBIDDEN' } } } });
  });
});

it('what is exactly at the limits is taken', async () => {
  const namespace = core.freshNamespace();
  const name = 'n'.repeat(63);
  const largest = {
    namespace,
    name,
    role: name,
    description: '\u{1f600}'.repeat(2048),
    topics: {
      publishes: list(64, (index) => `${'a'.repeat(252)}.${index}`.slice(-255)),
      subscribes: [tokens(16), `${tokens(15)}.>`, '>'],
    },
    capabilities: list(256, (index) => ({ id: `C_${index}.${'c'.repeat(122)}`, tags: ['x'.repeat(64)] })),
    labels: Object.fromEntries(list(32, (index) => [`l${index}`, '\n'.repeat(256)])),
  };
  const answer = await post('/v1/agents', body(largest));
  expect(await answer.json()).toMatchObject({ outcome: 'created' });
  const deepest = capability({ inputSchema: nested(LIMITS.jsonDepth) });
  const fullest = body({ namespace, ...deepest }).padEnd(LIMITS.registrationBytes);
  expect((await post('/v1/agents', fullest)).status).toBe(201);
  expect((await post('/trpc/registry.register', fullest)).status).toBe(200);
});

describe('what is no call over REST', () => {
  it.each([
    ['a lone surrogate', '\ud800'],
    ['NUL', 'a\0b'],
  ])('%s in the id of a delivery is refused, also where the audit would note it', async (_, id) => {
    const input = JSON.stringify({ deliveryIds: ['a-1-1.1', id] });
    const { details } = await expectProblem(await post('/v1/groups/any/dead-letters/discard', input), 'INVALID_INPUT');
    expect(details).toMatchObject([{ path: 'deliveryIds.1' }]);
  });

  it.each([
    ['broken JSON', '{"name":', 'application/json'],
    ['a trailing comma', '{"name":"a",}', 'application/json'],
    ['an empty body', '', 'application/json'],
    ['text', 'name=a', 'text/plain'],
    ['a form', 'name=a', 'application/x-www-form-urlencoded'],
    ['another JSON', '{}', 'application/cloudevents+json'],
    ['a media type that is none', '{}', 'nonsense'],
  ])('%s is INVALID_INPUT', async (_label, text, mediaType) => {
    await expectProblem(await post('/v1/agents', text, { 'content-type': mediaType }), 'INVALID_INPUT');
  });

  it('bytes that are no UTF-8 are INVALID_INPUT', async () => {
    const bytes = Buffer.from(body({ description: 'ÿÿ' }), 'latin1');
    const headers = { 'content-type': 'application/json' };
    await expectProblem(await core.fetch('/v1/agents', { method: 'POST', body: bytes, headers }), 'INVALID_INPUT');
  });

  it('a body without a length is measured all the same', async () => {
    const chunk = new TextEncoder().encode('x'.repeat(64 * 1024));
    const stream = new ReadableStream({
      start(controller) {
        for (let sent = 0; sent < 16; sent += 1) controller.enqueue(chunk);
        controller.close();
      },
    });
    const headers = { 'content-type': 'application/json' };
    const answer = await core.fetch('/v1/agents', {
      method: 'POST',
      body: stream,
      headers,
      duplex: 'half',
    });
    expect((await expectProblem(answer, 'PAYLOAD_TOO_LARGE')).details).toEqual({ limit: 524_288 });
  });

  it.each([
    ['GET', '/v1'],
    ['GET', '/v1/agents/a/b'],
    ['GET', '/v2/agents'],
    ['PUT', '/v1/agents'],
    ['POST', '/v1/agents/a'],
    ['OPTIONS', '/v1/agents'],
    ['DELETE', '/v1/agents'],
    ['PUT', '/v1/events'],
    ['POST', '/v1/groups/a'],
    ['GET', '/v1/groups/a/claim'],
    ['POST', '/v1/policy'],
    ['GET', '/trpcs'],
  ])('%s %s is NOT_FOUND', async (method, path) => {
    await expectProblem(await core.fetch(path, { method }), 'NOT_FOUND');
  });

  it.each([
    ['GET', '/v1/agents?Limit=1', 'Limit', '; did you mean "limit"?'],
    ['GET', '/v1/agents?nonsense=1', 'nonsense', ''],
    ['GET', '/v1/agents/watch?sinse=1', 'sinse', '; did you mean "since"?'],
    ['GET', '/v1/events?topic=a.b', 'topic', '; did you mean "topics"?'],
    ['POST', '/v1/events?NAMESPACE=other', 'NAMESPACE', '; did you mean "namespace"?'],
    ['GET', '/v1/whoami?toString=1', 'toString', ''],
  ])('a parameter that %s %s does not have is INVALID_INPUT', async (method, path, name, hint) => {
    const json = method === 'GET' ? undefined : { topic: 'a.b', data: 1 };
    const answer = await core.fetch(path, { method, namespace: null, ...(json === undefined ? {} : { json }) });
    const { details, detail } = await expectProblem(answer, 'INVALID_INPUT');
    expect(details).toEqual([{ path: name, reason: `is no parameter here${hint}` }]);
    expect(detail).toContain(name);
  });

  it('a path that is none is INVALID_INPUT', async () => {
    await expectProblem(await core.fetch('/v1/agents/%ff'), 'INVALID_INPUT');
    await expectProblem(await core.fetch('/%'), 'INVALID_INPUT');
    await expectProblem(await core.fetch('/v1/agents/'), 'INVALID_INPUT');
  });
});

describe('what is no call over tRPC', () => {
  const serializedError = (stream: string): unknown =>
    JSON.parse(/event: serialized-error\ndata: (.*)\n/.exec(stream)?.[1] ?? 'null');
  const input = (value: unknown): string => encodeURIComponent(JSON.stringify(value));

  it.each([
    ['POST', '/trpc/registry.register', '{"name":', 'INVALID_INPUT'],
    ['POST', '/trpc/registry.register?batch=1', '[]', 'INVALID_INPUT'],
    ['GET', `/trpc/registry.register?input=${input(VALID)}`, undefined, 'INVALID_INPUT'],
    ['POST', '/trpc/registry.get', '{"name":"nobody"}', 'NOT_FOUND'],
    ['POST', '/trpc/registry.get', '{"name":"A"}', 'INVALID_INPUT'],
    ['GET', '/trpc/registry.get?input={', undefined, 'INVALID_INPUT'],
    ['GET', '/trpc/registry.get', undefined, 'INVALID_INPUT'],
    ['GET', `/trpc/registry.get?input=${input({ name: 'A' })}`, undefined, 'INVALID_INPUT'],
    ['GET', `/trpc/registry.get?input=${input({ name: 'nobody' })}`, undefined, 'NOT_FOUND'],
    ['GET', `/trpc/registry.query?input=${input({ limit: 501 })}`, undefined, 'INVALID_INPUT'],
    ['GET', `/trpc/registry.query?input=${input({ cursor: 'x' })}`, undefined, 'INVALID_INPUT'],
    ['GET', `/trpc/registry.query?input=${input({ text: '\0' })}`, undefined, 'INVALID_INPUT'],
    ['GET', `/trpc/bus.read?input=${input({ topics: [] })}`, undefined, 'INVALID_INPUT'],
    ['GET', `/trpc/bus.read?input=${input({ topics: ['a'], after: 'x' })}`, undefined, 'INVALID_INPUT'],
    ['GET', `/trpc/bus.deadLetters?input=${input({ group: 'nobody' })}`, undefined, 'NOT_FOUND'],
    ['GET', `/trpc/bus.topics?input=${input({ cursor: '\0' })}`, undefined, 'INVALID_INPUT'],
    ['POST', '/trpc/bus.claim', '{"group":"a"}', 'INVALID_INPUT'],
    ['POST', '/trpc/bus.ack', '{"group":"nobody","deliveryIds":["a-1-1.1"]}', 'NOT_FOUND'],
    ['POST', '/trpc/policy.put', '{"policy":{}}', 'INVALID_INPUT'],
    ['GET', '/trpc/registry.nothing', undefined, 'NOT_FOUND'],
    ['GET', '/trpc/registry', undefined, 'NOT_FOUND'],
    ['GET', '/trpc/__proto__.toString', undefined, 'NOT_FOUND'],
    ['POST', '/trpc/registry.constructor', '{}', 'NOT_FOUND'],
    ['GET', '/trpc', undefined, 'NOT_FOUND'],
    ['GET', '/trpc/%ff', undefined, 'INVALID_INPUT'],
  ] as const)('%s %s is refused', async (method, path, text, code) => {
    const answer = await (text === undefined ? core.fetch(path, { method }) : post(path, text));
    const shape: unknown = await answer.json();
    expectShape(Array.isArray(shape) ? shape[0] : shape, code);
    expect(answer.status).toBe(ERROR_CODES[code].http);
  });

  it.each(['text/plain', 'application/xml', 'multipart/form-data', 'application/octet-stream'])(
    'a body of %s is INVALID_INPUT',
    async (mediaType) => {
      const answer = await post('/trpc/registry.register', body({}), { 'content-type': mediaType });
      await expectTrpcRefusal(answer, 'INVALID_INPUT');
    },
  );

  it('a batch of too many calls is INVALID_INPUT as a whole', async () => {
    const batch = (calls: number) => core.fetch(`/trpc/${list(calls, () => 'a').join(',')}?batch=1`);
    const { message } = await expectTrpcRefusal(await batch(501), 'INVALID_INPUT');
    expect(message).toBe('Batch call exceeds maximum size');
    expect(await (await batch(500)).json()).toHaveLength(500);
  });

  it('a refused watch is a stream that says so', async () => {
    const cases: [string, Record<string, string>, ErrorCode][] = [
      [`input=${input({ role: 'A' })}`, {}, 'INVALID_INPUT'],
      ['input=%7B', {}, 'INVALID_INPUT'],
      ['input=[]', {}, 'INVALID_INPUT'],
      ['input=1&input=2', {}, 'INVALID_INPUT'],
      ['connectionParams=%7B', {}, 'INVALID_INPUT'],
      ['', { 'last-event-id': 'bogus' }, 'INVALID_INPUT'],
      ['', { authorization: 'Bearer nonsense' }, 'UNAUTHENTICATED'],
    ];
    for (const [query, headers, code] of cases) {
      const answer = await core.fetch(`/trpc/registry.watch?${query}`, { headers });
      expect(answer.status).toBe(200);
      expectShape({ error: serializedError(await answer.text()) }, code);
    }
    const posted = await post('/trpc/registry.watch', '{"role":"A"}');
    expectShape({ error: serializedError(await posted.text()) }, 'INVALID_INPUT');
  });
});

/** Sends bytes as they are, and gives what comes back until the connection closes. */
function sendRaw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(core.port, '127.0.0.1', () => void socket.write(text, 'latin1'));
    let answer = '';
    socket.setTimeout(20_000, () => socket.destroy(new Error(`no end after ${JSON.stringify(answer)}`)));
    socket.on('data', (bytes) => (answer += bytes.toString('latin1')));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

describe('what is no HTTP', () => {
  it.each([
    ['nonsense', 'nonsense\r\n\r\n', 400],
    ['another protocol', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
    ['a version of the future', 'GET /v1/agents HTTP/7.7\r\nhost: a\r\n\r\n', 400],
    ['no host', 'GET /v1/agents HTTP/1.1\r\n\r\n', 400],
    ['a header with NUL', 'GET /v1/agents HTTP/1.1\r\nhost: a\r\nx: \0\r\n\r\n', 400],
    ['two lengths', 'POST /v1/agents HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', 400],
    ['a length that is none', 'POST /v1/agents HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n', 400],
    ['a host with a user', 'GET /trpc/registry.get HTTP/1.1\r\nhost: a@b\r\nconnection: close\r\n\r\n', 400],
    ['a trace', 'TRACE /trpc/registry.get HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 404],
    ['headers without end', `GET /v1/agents HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
  ])('%s is answered and cut off', async (_label, text, status) => {
    const answer = await sendRaw(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('a broken request is a problem too', async () => {
    const answer = await sendRaw('nonsense\r\n\r\n');
    const [head = '', text = ''] = answer.split('\r\n\r\n');
    expect(head).toContain('content-type: application/problem+json');
    expect(JSON.parse(text)).toMatchObject({ status: 400, code: 'INVALID_INPUT' });
  });

  it('an upgrade to something else is passed over', async () => {
    const answer = await sendRaw(
      'GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close, upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AA\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });
});

it('nothing of all this is stored, and nothing was a fault of ours', async () => {
  const answer = await core.fetch('/v1/agents', { token: core.viewerToken });
  expect(QueryResult.parse(await answer.json())).toEqual({ agents: [], nextCursor: null, revision: 0 });
  expect(core.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
  expect((await core.fetch('/healthz', { token: null })).status).toBe(200);
});
