// JSON in all the ways in which it reaches the core: how it may be encoded, what is refused, and what of it is not known.
import { API_HEADER, API_VERSION, type Policy, SwarmErrorBody } from '@hypercode/contracts';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { gzipSync } from 'node:zlib';
import { expectProblem, sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';

let core: TestCore;
let namespace: string;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

beforeEach(() => {
  namespace = core.freshNamespace();
});

const JSON_TYPE = 'application/json';
const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  core.fetch(path, { namespace, method: 'POST', body, headers: { 'content-type': JSON_TYPE, ...headers } });
const registration = (more: object = {}) => ({ namespace, name: 'ada', role: 'worker', version: '1.0.0', ...more });
const readEvents = async (): Promise<Record<string, unknown>[]> => {
  const answer = await core.fetch('/v1/events?topics=%3E', { namespace });
  const { events } = (await answer.json()) as { events: { event: Record<string, unknown> }[] };
  return events.map(({ event }) => event);
};
const dataRead = async (): Promise<unknown[]> => (await readEvents()).map(({ data }) => data);

describe('a byte order mark at the start of a body is ignored', () => {
  it.each([
    ['/v1/agents', () => registration(), 201],
    ['/v1/events', () => ({ topic: 'a.b', data: 1 }), 200],
    ['/v1/events', () => [{ topic: 'a.b', data: 1 }], 200],
    ['/trpc/registry.register', () => registration(), 200],
  ])('of %s', async (path, body, status) => {
    expect((await post(path, `\uFEFF${JSON.stringify(body())}`)).status).toBe(status);
  });
});

describe('the charset of a body', () => {
  const text = '{"topic":"a.b","data":"é"}';

  it.each([
    ['application/json; charset=UTF-8', Buffer.from(text)],
    ['application/json;charset="utf8"', Buffer.from(text)],
    ['application/json; charset=iso-8859-1', Buffer.from(text, 'latin1')],
    ['application/json; charset=utf-16', Buffer.from(text, 'utf16le')],
  ])('of %s is taken', async (contentType, body) => {
    expect((await post('/v1/events', body, { 'content-type': contentType })).status).toBe(200);
    expect(await dataRead()).toEqual(['é']);
  });

  it('is UTF-8 where none is named, on every surface', async () => {
    const latin = Buffer.from('{"namespace":"x","name":"é"}', 'latin1');
    for (const path of ['/v1/agents', '/v1/events', '/trpc/registry.register'])
      expect((await post(path, latin)).status).toBe(400);
  });

  it('that is not known is INVALID_INPUT', async () => {
    const answer = await post('/v1/events', text, { 'content-type': 'application/json; charset=klingon' });
    expect(await expectProblem(answer, 'INVALID_INPUT')).toMatchObject({ detail: expect.stringContaining('klingon') });
  });
});

describe('a compressed body', () => {
  it.each(['/v1/events', '/v1/agents', '/trpc/registry.register'])('of %s is refused with 415', async (path) => {
    const answer = await post(path, gzipSync(JSON.stringify(registration())), { 'content-encoding': 'gzip' });
    expect(answer.status).toBe(415);
    expect(answer.headers.get('accept-encoding')).toBe('identity');
    expect(await answer.text()).toContain('the content encoding \\"gzip\\" is not supported');
  });

  it('of a CloudEvent in binary mode is not stored as text', async () => {
    const attributes = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 'a.b' };
    const headers = { ...attributes, 'content-type': 'text/plain; charset=iso-8859-1', 'content-encoding': 'br' };
    expect((await post('/v1/events', gzipSync('hello'), headers)).status).toBe(415);
    expect(await dataRead()).toEqual([]);
  });

  it('that is not compressed is taken', async () => {
    const headers = { 'content-encoding': 'identity' };
    expect((await post('/v1/events', '{"topic":"a.b","data":1}', headers)).status).toBe(200);
  });
});

describe('a number that cannot be kept', () => {
  const NUMBER = '1524831183200260097';
  const refused = {
    code: 'INVALID_INPUT',
    details: [{ path: 'data.id', reason: expect.stringContaining('a string') }],
  };

  it('is refused in a CloudEvent, in every mode', async () => {
    const attributes = `"specversion":"1.0","id":"1","source":"/s","type":"a.b"`;
    const event = `{${attributes},"data":{"id":${NUMBER}}}`;
    const structured = await post('/v1/events', event, { 'content-type': 'application/cloudevents+json' });
    expect(await structured.json()).toMatchObject(refused);
    const encoded = Buffer.from(`{"id":${NUMBER}}`).toString('base64');
    const base64 = await post('/v1/events', `{${attributes},"data_base64":"${encoded}"}`, {
      'content-type': 'application/cloudevents+json',
    });
    expect(await base64.json()).toMatchObject(refused);
    const binary = await post('/v1/events', `{"id":${NUMBER}}`, {
      ...{ 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 'a.b' },
    });
    expect(await binary.json()).toMatchObject(refused);
    const batch = await post('/v1/events', `[${event},${event.replace(NUMBER, '5').replace('"1"', '"2"')}]`, {
      'content-type': 'application/cloudevents-batch+json',
    });
    expect(await batch.json()).toMatchObject({ results: [{ id: '1', error: refused }, { duplicate: false }] });
  });

  it('is refused in the schema of a capability', async () => {
    const body = JSON.stringify(registration({ capabilities: [{ id: 'c', inputSchema: { maximum: 'here' } }] }));
    const answer = await post('/v1/agents', body.replace('"here"', '9223372036854775807'));
    const { details } = await expectProblem(answer, 'INVALID_INPUT');
    expect(details).toMatchObject([{ path: 'capabilities.0.inputSchema.maximum' }]);
  });

  it('is refused in a field of the core', async () => {
    const { details } = await expectProblem(
      await post('/v1/groups/g/claim', '{"topics":["a"],"max":9007199254740993}'),
      'INVALID_INPUT',
    );
    expect(details).toMatchObject([{ path: 'max' }]);
    const input = encodeURIComponent('{"since":9007199254740993}');
    const stream = await core.fetch(`/trpc/registry.watch?input=${input}`);
    expect(await stream.text()).toContain('"path":"since"');
  });

  it('is refused in a message of a WebSocket, and the next call is answered', async () => {
    const client = new WebSocket(`${core.url.replace('http', 'ws')}/trpc`, {
      headers: { authorization: `Bearer ${core.adminToken}` },
    });
    const call = (id: number, data: string) =>
      `{"id":${id},"method":"mutation","params":{"path":"bus.publish","input":{"namespace":"${namespace}","topic":"a.b","data":${data}}}}`;
    const answers: Promise<unknown[]> = new Promise((resolve, reject) => {
      const received: unknown[] = [];
      client.on('message', (message: Buffer) => {
        received.push(JSON.parse(message.toString('utf8')));
        if (received.length === 2) resolve(received);
      });
      client.on('error', reject);
      client.on('open', () => client.send(`\uFEFF[${call(1, `{"id":${NUMBER}}`)},${call(2, '{"id":5}')}]`));
    });
    const received = (await answers) as { id: number }[];
    client.close();
    const [first, second] = received.toSorted((a, b) => a.id - b.id);
    expect(first).toMatchObject({ id: 1, error: { data: { swarm: refused } } });
    expect(second).toMatchObject({ id: 2, result: { data: { duplicate: false } } });
  });

  it('and numbers that can be kept arrive as they came', async () => {
    const numbers = '[0,9007199254740991,-9007199254740991,0.1,1e+300,5e-324,10000000000000000000]';
    await post('/v1/events', `{"topic":"a.b","data":${numbers}}`);
    const text = await (await core.fetch('/v1/events?topics=%3E', { namespace })).text();
    expect(text).toContain(`"data":${numbers}`);
  });
});

it('of a field that is given twice the last one counts, for the core and for every reader', async () => {
  await post('/v1/events', '{"topic":"a.first","topic":"a.last","data":{"qty":1,"qty":-1}}');
  expect(await readEvents()).toMatchObject([{ topic: 'a.last', data: { qty: -1 } }]);
});

describe('a traceparent', () => {
  const TRACE = `${'a'.repeat(32)}-${'b'.repeat(16)}`;

  it.each([
    ['that cannot be read is left out', 'x', undefined],
    ['in upper case is left out', `00-${TRACE.toUpperCase()}-01`, undefined],
    ['of a later version is read as far as it is known', `cc-${TRACE}-01-more`, `00-${TRACE}-01`],
  ])('%s, and the event is taken', async (_label, traceparent, expected) => {
    const event = { topic: 'a.b', data: 1, traceparent };
    await post('/v1/events', JSON.stringify(event));
    await post('/v1/events', JSON.stringify([event]));
    await post('/trpc/bus.publish', JSON.stringify({ ...event, namespace }));
    await post('/trpc/bus.publishMany', JSON.stringify({ events: [event], namespace }));
    expect((await readEvents()).map((read) => read['traceparent'])).toEqual([expected, expected, expected, expected]);
  });
});

describe('fields that are not known', () => {
  it.each<[string, string, () => unknown, string, string]>([
    ['POST', '/v1/agents', () => registration({ capabilties: [] }), 'capabilties', 'capabilities'],
    ['PATCH', '/v1/agents/ada', () => ({ set: { descripton: 'x' } }), 'set.descripton', 'description'],
    ['PATCH', '/v1/agents/ada', () => ({ descripton: 'x' }), 'set.descripton', 'description'],
    ['POST', '/v1/groups/g/claim', () => ({ topics: ['a'], maxInflight: 5 }), 'maxInflight', 'maxInFlight'],
    ['POST', '/v1/groups/g/nack', () => ({ deliveryIds: ['a'], delayMS: 5 }), 'delayMS', 'delayMs'],
    [
      'PUT',
      '/v1/policy',
      () => ({ roles: {}, default: { publish: [], subscribe: [] }, dryrun: true }),
      'policy.dryrun',
      '',
    ],
    ['POST', '/v1/tokens', () => ({ kind: 'viewer', name: 'v', expiresInMS: 5 }), 'expiresInMS', 'expiresInMs'],
    ['POST', '/trpc/registry.register', () => registration({ Labels: {} }), 'Labels', 'labels'],
    ['POST', '/trpc/circuit.trip', () => ({ namespace, name: 'ada', why: 'x' }), 'why', ''],
  ])('%s %s refuses, and names the one that was probably meant', async (method, path, body, field, meant) => {
    const answer = await core.fetch(path, { namespace, method, json: body() });
    expect(answer.status).toBe(400);
    const answered = (await answer.json()) as { error?: { data: { swarm: unknown } } };
    const { code, details } = SwarmErrorBody.parse(answered.error?.data.swarm ?? { message: '', ...answered });
    const reason = `is no field here${meant === '' ? '' : `; did you mean "${meant}"?`}`;
    expect({ code, details }).toMatchObject({
      code: 'INVALID_INPUT',
      details: expect.arrayContaining([{ path: field, reason }]),
    });
  });

  it('of an event in a list refuse that event alone', async () => {
    const events = [
      { topic: 'a.b', dat: 1 },
      { topic: 'a.b', data: 2 },
    ];
    for (const [path, body, results] of [
      ['/v1/events', events, (answer: { results: unknown }) => answer.results],
      [
        '/trpc/bus.publishMany',
        { events, namespace },
        (answer: { result: { data: { results: unknown } } }) => answer.result.data.results,
      ],
    ] as const) {
      const answer = (await (await post(path, JSON.stringify(body))).json()) as never;
      expect(results(answer)).toMatchObject([
        {
          error: {
            code: 'INVALID_INPUT',
            details: [{ path: 'dat', reason: 'is no field here; did you mean "data"?' }],
          },
        },
        { duplicate: false },
      ]);
    }
  });

  it('are free in data, in labels, in schemas and in extensions', async () => {
    const free = { anything: { goes: { here: 1 } } };
    const capabilities = [{ id: 'c', inputSchema: free, outputSchema: free }];
    expect(
      (await post('/v1/agents', JSON.stringify(registration({ labels: { any: 'x' }, capabilities })))).status,
    ).toBe(201);
    expect(
      (await post('/v1/events', JSON.stringify({ topic: 'a.b', data: free, extensions: { any: 'x' } }))).status,
    ).toBe(200);
  });

  it('are ignored in what is sent back as it was read', async () => {
    const { agent } = (await (await post('/v1/agents', JSON.stringify(registration()))).json()) as { agent: object };
    const changed = { ...agent, description: 'changed' };
    for (const [method, path, body] of [
      ['POST', '/v1/agents', { ...agent, incarnation: null }],
      ['PATCH', '/v1/agents/ada', changed],
      ['PATCH', '/v1/agents/ada', { set: changed }],
    ] as const)
      expect((await core.fetch(path, { namespace, method, json: body })).status).toBe(200);
    const policy = (await (await core.fetch('/v1/policy', { namespace })).json()) as Policy;
    const put = (json: unknown) => core.fetch('/v1/policy', { namespace, method: 'PUT', json });
    const answered = await (await put(policy)).json();
    expect(answered).toHaveProperty('effect');
    expect((await put(answered)).status).toBe(200);
    await post('/v1/events', JSON.stringify({ topic: 'a.b', data: 1 }));
    const [event] = await readEvents();
    expect(await (await post('/v1/events', JSON.stringify(event))).json()).toMatchObject({ duplicate: true });
  });

  it('may repeat what the address names', async () => {
    const { token } = (await (await post('/v1/agents', JSON.stringify(registration()))).json()) as { token: string };
    const beat = (json: unknown) => core.fetch('/v1/agents/ada/heartbeat', { namespace, method: 'POST', token, json });
    expect((await beat({ name: 'ada' })).status).toBe(200);
    await expectProblem(await beat({ name: 'eve' }), 'INVALID_INPUT');
    await expectProblem(await beat({ nmae: 'ada' }), 'INVALID_INPUT');
  });
});

describe('a caller of a later API', () => {
  const later = { [API_HEADER]: String(API_VERSION + 1) };

  it('receives the names that were ignored, of body and query, over REST', async () => {
    const body = JSON.stringify(
      registration({ mood: 'good', capabilities: [{ id: 'c', price: 5 }], 'naïve, \r\n': 1 }),
    );
    const answer = await post('/v1/agents?trace=1', body, later);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('swarm-ignored')).toBe('trace, mood, capabilities.0.price, na%C3%AFve%2C%20%0D%0A');
  });

  it('receives them over tRPC, in a batch, too', async () => {
    const text = JSON.stringify({
      0: registration({ mood: 'good' }),
      1: { namespace, reason: 'x', why: 'y', name: 'ada' },
    });
    const answer = await post('/trpc/registry.register,registry.deregister?batch=1', text, later);
    expect(answer.headers.get('swarm-ignored')).toBe('mood, why');
    expect(await answer.json()).toMatchObject([{ result: {} }, { result: {} }]);
  });

  it('receives them with a stream, before its first value', async () => {
    const input = encodeURIComponent(JSON.stringify({ namespace, topics: ['a.b'], depth: 5 }));
    const params = encodeURIComponent(JSON.stringify({ token: core.adminToken, ...later }));
    for (const [path, headers] of [
      [`/v1/events/stream?topics=a.b&depth=5&namespace=${namespace}`, later],
      [`/trpc/bus.subscribe?input=${input}`, later],
      [`/trpc/bus.subscribe?input=${input}&connectionParams=${params}`, {}],
    ] as const) {
      const answer = await core.fetch(path, { headers });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('swarm-ignored')).toBe('depth');
      await answer.body?.cancel();
    }
  });

  it('still gets a refusal in the stream over tRPC', async () => {
    const input = encodeURIComponent(JSON.stringify({ topics: [], depth: 5 }));
    const answer = await core.fetch(`/trpc/bus.subscribe?input=${input}`, { headers: later });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('event: serialized-error');
  });

  it.each(['1', '0', '-2', '2.5', 'two', ''])('is none with swarm-api: %s', async (version) => {
    const answer = await post('/v1/agents', JSON.stringify(registration({ mood: 'good' })), { 'swarm-api': version });
    await expectProblem(answer, 'INVALID_INPUT');
  });

  it('keeps the core from holding more names than an answer lists', async () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`field${index}`, 1]));
    const answer = await post('/v1/agents', JSON.stringify(registration(many)), later);
    expect(answer.headers.get('swarm-ignored')?.split(', ')).toHaveLength(50);
    const refused = await expectProblem(await post('/v1/agents', JSON.stringify(registration(many))), 'INVALID_INPUT');
    expect(refused.details).toHaveLength(50);
  });
});
