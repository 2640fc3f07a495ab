// CloudEvents on a whole core, made by the CloudEvents SDK and sent in all three modes of HTTP.
import { PublishManyResult, PublishResult, ReadResult, type SwarmEvent } from '@hypercode/contracts';
import { CloudEvent, HTTP, type Message } from 'cloudevents';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectProblem, sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';

let core: TestCore;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

/** The SDK has no batched mode; a batch is a list of what it makes for the structured one. */
const batched = (...events: CloudEvent<unknown>[]): Message => ({
  headers: { 'content-type': 'application/cloudevents-batch+json' },
  body: `[${events.map(String).join(',')}]`,
});

const send = (namespace: string, { headers, body }: Message) =>
  core.fetch(`/v1/events?namespace=${namespace}`, {
    method: 'POST',
    headers: headers as Record<string, string>,
    ...(body === undefined ? {} : { body: body as string }),
  });

async function received(namespace: string): Promise<SwarmEvent[]> {
  const answer = await core.fetch(`/v1/events?namespace=${namespace}&topics=%3E`, { token: core.viewerToken });
  return ReadResult.parse(await answer.json()).events.map(({ event }) => event);
}

const UUID = '11111111-1111-4111-8111-111111111111';
const orderPlaced = (fields: object = {}) =>
  new CloudEvent({
    id: 'A234-1234-1234',
    source: 'https://example.com/orders',
    type: 'order.placed',
    time: '2026-01-02T03:04:05.678Z',
    subject: 'order-17',
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    correlationid: 'conversation',
    causationid: 'cause',
    dataschema: 'https://example.com/schema',
    datacontenttype: 'application/json',
    tenant: 'acme',
    data: { total: 12.5, lines: [{ sku: 'ünï' }] },
    ...fields,
  });

const MODES: [string, (event: CloudEvent<unknown>) => Message][] = [
  ['binary', HTTP.binary],
  ['structured', HTTP.structured],
  ['batched', batched],
];

describe.each(MODES)('a CloudEvent in %s mode', (mode, emit) => {
  async function publish(namespace: string, event: CloudEvent<unknown>): Promise<PublishResult> {
    const answer = await send(namespace, emit(event));
    expect(answer.status).toBe(200);
    const result: unknown = await answer.json();
    return PublishResult.parse(mode === 'batched' ? PublishManyResult.parse(result).results[0] : result);
  }

  it('is received as an event, once', async () => {
    const namespace = core.freshNamespace();
    const id = 'cab76975-ce47-5eaa-8ad7-699f8bdf2a28';
    const first = await publish(namespace, orderPlaced());
    expect(first).toEqual({ id, position: expect.any(String), duplicate: false });
    expect(await publish(namespace, orderPlaced())).toEqual({ ...first, duplicate: true });
    expect(await received(namespace)).toEqual([
      {
        id,
        namespace,
        source: '/operators/admin',
        topic: 'order.placed',
        time: '2026-01-02T03:04:05.678Z',
        subject: 'order-17',
        traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
        extensions: {
          dataschema: 'https://example.com/schema',
          tenant: 'acme',
          originsource: 'https://example.com/orders',
          originid: 'A234-1234-1234',
        },
        correlationId: 'conversation',
        causationId: 'cause',
        data: { total: 12.5, lines: [{ sku: 'ünï' }] },
      },
    ]);
  });

  it('is one event with the same in another mode', async () => {
    const namespace = core.freshNamespace();
    await send(namespace, HTTP.structured(orderPlaced()));
    expect(await publish(namespace, orderPlaced())).toMatchObject({ duplicate: true });
  });

  it.each<[string, object, unknown]>([
    ['of text', { datacontenttype: 'text/plain', data: 'grün' }, 'grün'],
    ['of another JSON', { datacontenttype: 'application/vnd.a+json', data: [1] }, [1]],
    ['of nothing', { datacontenttype: undefined, data: undefined }, null],
  ])('may have data %s', async (_label, fields, data) => {
    const namespace = core.freshNamespace();
    await publish(namespace, orderPlaced({ id: UUID, ...fields }));
    expect(await received(namespace)).toMatchObject([{ extensions: { originid: UUID }, data }]);
  });

  it('of bytes is refused', async () => {
    const namespace = core.freshNamespace();
    const answer = await send(
      namespace,
      emit(orderPlaced({ datacontenttype: 'image/png', data: Buffer.from([1, 2]) })),
    );
    if (mode === 'batched') {
      const { results } = PublishManyResult.parse(await answer.json());
      expect(results).toMatchObject([{ id: 'A234-1234-1234', error: { details: [{ path: 'datacontenttype' }] } }]);
    } else {
      const problem = await expectProblem(answer, 'INVALID_INPUT');
      expect(problem.details).toMatchObject([{ path: 'datacontenttype' }]);
      expect(problem.detail).toContain('image/png');
    }
    expect(await received(namespace)).toEqual([]);
  });
});

it('a batch is answered event by event, in its order', async () => {
  const namespace = core.freshNamespace();
  const answer = await send(
    namespace,
    batched(
      orderPlaced({ id: '1' }),
      orderPlaced({ id: '2', type: 'no topic' }),
      orderPlaced({ id: UUID, type: 'system.forged' }),
      orderPlaced({ id: '4', data: 4 }),
    ),
  );
  const { results } = PublishManyResult.parse(await answer.json());
  expect(results).toMatchObject([
    { duplicate: false },
    { id: '2', error: { code: 'INVALID_INPUT', details: [{ path: 'type' }] } },
    { id: 'aced08e0-2c6d-530b-979d-7ca56b2ab360', error: { code: 'ACL_DENIED' } },
    { duplicate: false },
  ]);
  expect(await received(namespace)).toHaveLength(2);
});

const headers = {
  'ce-specversion': '1.0',
  'ce-id': '1',
  'ce-source': '/a',
  'ce-type': 'a.b',
  'content-type': 'application/json',
};

it('headers of the binary mode are decoded', async () => {
  const namespace = core.freshNamespace();
  const answer = await send(namespace, {
    headers: { ...headers, 'ce-subject': 'Euro%20%E2%82%AC%20%F0%9F%98%80', 'ce-correlationid': '"a \\"b\\""' },
    body: '1',
  });
  expect(answer.status).toBe(200);
  expect(await received(namespace)).toMatchObject([{ subject: 'Euro € 😀', correlationId: 'a "b"', data: 1 }]);
});

it('an event in binary mode needs neither data nor a media type', async () => {
  const namespace = core.freshNamespace();
  const { 'content-type': _json, ...bare } = headers;
  expect((await send(namespace, { headers: bare, body: undefined })).status).toBe(200);
  expect(await received(namespace)).toMatchObject([{ topic: 'a.b', data: null }]);
});

const structured = { 'content-type': 'application/cloudevents+json' };
const batch = { 'content-type': 'application/cloudevents-batch+json' };
const body = JSON.stringify({ specversion: '1.0', id: '1', source: '/a', type: 'a.b', data: 1 });

it.each<[string, Record<string, string>, string, string]>([
  ['another version', { ...headers, 'ce-specversion': '0.3' }, '1', 'specversion'],
  ['no source', { ...headers, 'ce-source': '' }, '1', 'source'],
  ['a header that is no UTF-8', { ...headers, 'ce-subject': '%C0%A0' }, '1', 'subject'],
  ['data that is not what it says', headers, 'text', 'data'],
  ['bytes', { ...headers, 'content-type': 'application/octet-stream' }, 'a', 'datacontenttype'],
  ['another version in the body', structured, body.replace('1.0', '0.3'), 'specversion'],
  ['a list as one event', structured, `[${body}]`, ''],
  ['one event as a batch', batch, body, ''],
  ['no JSON', structured, '{', ''],
  ['nothing', structured, '', ''],
  ['another format', { 'content-type': 'application/cloudevents+avro' }, body, ''],
  ['1001 events', batch, `[${Array.from({ length: 1001 }, () => body).join(',')}]`, ''],
])('%s is refused', async (_label, given, text, path) => {
  const namespace = core.freshNamespace();
  const problem = await expectProblem(await send(namespace, { headers: given, body: text }), 'INVALID_INPUT');
  expect(problem.details).toContainEqual({ path, reason: expect.any(String) });
  expect(await received(namespace)).toEqual([]);
});

it.each<[string, Record<string, string>, number]>([
  ['binary', headers, 262_144],
  ['structured', structured, 262_144],
  ['batched', batch, 4_194_304],
])('too many bytes in %s mode are refused', async (_mode, given, limit) => {
  const answer = await send(core.namespace, { headers: given, body: `"${'x'.repeat(limit)}"` });
  expect((await expectProblem(answer, 'PAYLOAD_TOO_LARGE')).details).toEqual({ limit });
});

describe('with ?format=cloudevents', () => {
  const arrived = {
    specversion: '1.0',
    source: '/operators/admin',
    type: 'order.placed',
    originsource: 'https://example.com/orders',
    originid: 'A234-1234-1234',
    tenant: 'acme',
    correlationid: 'conversation',
  };

  it('a read, a claim and a stream give CloudEvents with their positions', async () => {
    const namespace = core.freshNamespace();
    await send(namespace, HTTP.binary(orderPlaced()));
    const query = `namespace=${namespace}&format=cloudevents`;
    const read = await core.fetch(`/v1/events?topics=%3E&${query}`);
    const { events } = (await read.json()) as { events: { position: string; event: { swarmposition: string } }[] };
    const position = events[0]?.position ?? '';
    const event = { ...arrived, swarmposition: position };
    expect(events).toMatchObject([{ position, event }]);
    expect(new CloudEvent(events[0]?.event as object).validate()).toBe(true);

    const claim = { method: 'POST', json: { topics: ['>'], from: 'earliest' } };
    const claimed = await core.fetch(`/v1/groups/crew/claim?${query}`, claim);
    expect(await claimed.json()).toMatchObject({ deliveries: [{ attempt: 1, position, event }] });

    const end = new AbortController();
    const stream = await core.fetch(`/v1/events/stream?topics=%3E&from=earliest&${query}`, { signal: end.signal });
    let text = '';
    for await (const chunk of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (text.includes('event: event')) break;
    }
    end.abort();
    const data = /event: event\nid: .*\ndata: (.*)\n/.exec(text)?.[1] ?? '{}';
    expect(JSON.parse(data)).toMatchObject({ type: 'event', position, event });
  });

  it('another format is refused', async () => {
    const answer = await core.fetch('/v1/events?topics=%3E&format=xml');
    expect((await expectProblem(answer, 'INVALID_INPUT')).details).toMatchObject([{ path: 'format' }]);
  });
});

it('two sources may use the same UUID', async () => {
  const namespace = core.freshNamespace();
  for (const source of ['/orders', '/payments'])
    await send(namespace, HTTP.structured(orderPlaced({ id: UUID, source })));
  expect(await received(namespace)).toHaveLength(2);
});
