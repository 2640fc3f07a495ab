// CloudEvents as events of the bus: what is kept of them, which ids they get, and what is refused.
import { type Json, PublishInput, SwarmError } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cloudEventOf, eventOfJson, eventOfParts } from './cloud-event.ts';

const MINIMAL = { specversion: '1.0', id: 'A234-1234-1234', source: '/mycontext', type: 'order.placed' };
const UUID = '11111111-1111-4111-8111-111111111111';
const TRACEPARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

const base64 = (bytes: string | Buffer) => Buffer.from(bytes).toString('base64');

function refusalOf(call: () => unknown): SwarmError {
  try {
    call();
  } catch (error) {
    if (error instanceof SwarmError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

describe('a CloudEvent in the JSON format', () => {
  it('gives type, time, subject, trace and the ids of its conversation', () => {
    const event = eventOfJson({
      ...MINIMAL,
      id: UUID,
      time: '2026-01-02T03:04:05.678+09:00',
      subject: 'larger-context',
      traceparent: TRACEPARENT,
      correlationid: 'c',
      causationid: 'd',
      datacontenttype: 'application/json',
      dataschema: 'https://example.com/schema',
      comexampleother: 5,
      data: { a: [1, null] },
    });
    expect(event).toEqual({
      id: 'ebffd394-5e1e-5405-a77b-3ec9eb2328c7',
      extensions: {
        dataschema: 'https://example.com/schema',
        comexampleother: 5,
        originsource: '/mycontext',
        originid: UUID,
      },
      topic: 'order.placed',
      time: '2026-01-02T03:04:05.678+09:00',
      subject: 'larger-context',
      traceparent: TRACEPARENT,
      correlationId: 'c',
      causationId: 'd',
      data: { a: [1, null] },
    });
  });

  it('may leave out, or set to null, all that is optional', () => {
    const nothing = {
      subject: null,
      time: null,
      traceparent: null,
      datacontenttype: null,
      data_base64: null,
      other: null,
    };
    const expected = {
      id: '241ac2e2-f9fc-5c33-906d-4d0eac3f190b',
      topic: 'order.placed',
      data: null,
      extensions: { originsource: '/mycontext', originid: 'A234-1234-1234' },
    };
    expect(eventOfJson(MINIMAL)).toEqual(expected);
    expect(eventOfJson({ ...MINIMAL, ...nothing })).toEqual(expected);
  });

  it('may have its time in lower case', () => {
    expect(eventOfJson({ ...MINIMAL, time: '2026-01-02t03:04:05.678z' }).time).toBe('2026-01-02T03:04:05.678Z');
    expect(eventOfParts({ ...MINIMAL, time: '2026-01-02t03:04:05+09:00' }, null).time).toBe(
      '2026-01-02T03:04:05+09:00',
    );
  });

  it('is named by source and id together, also when the id is a UUID', () => {
    const { id } = eventOfJson(MINIMAL);
    expect(eventOfJson({ ...MINIMAL, type: 'other' }).id).toBe(id);
    expect(eventOfJson({ ...MINIMAL, source: '/elsewhere' }).id).not.toBe(id);
    const uuids = ['/mycontext', '/elsewhere'].map((source) => eventOfJson({ ...MINIMAL, id: UUID, source }).id);
    expect(new Set([...uuids, UUID]).size).toBe(3);
  });

  it.each([
    ['of version 00', TRACEPARENT, TRACEPARENT],
    ['of a later version', `cc-${'a'.repeat(32)}-${'b'.repeat(16)}-ff-more`, TRACEPARENT],
    ['in upper case', TRACEPARENT.toUpperCase(), undefined],
    ['of version 00 with more', `${TRACEPARENT}-more`, undefined],
    ['of version ff', `ff${TRACEPARENT.slice(2)}`, undefined],
    ['without a trace', `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`, undefined],
    ['of one letter', 'x', undefined],
    ['without content', '', undefined],
  ])('with a traceparent %s goes on with the trace, or begins one', (_label, traceparent, kept) => {
    expect(eventOfJson({ ...MINIMAL, traceparent }).traceparent).toBe(kept);
  });

  it('keeps the media type of data that is not JSON', () => {
    const type = { datacontenttype: 'text/xml' };
    expect(eventOfJson({ ...MINIMAL, ...type, data: '<a/>' }).extensions).toMatchObject(type);
    expect(eventOfParts(MINIMAL, { bytes: Buffer.from('<a/>'), contentType: 'text/xml' }).extensions).toMatchObject(
      type,
    );
  });

  it('cannot claim where it came from, nor its position', () => {
    const { extensions } = eventOfJson({ ...MINIMAL, originsource: '/core', originid: 'x', swarmposition: '1' });
    expect(extensions).toEqual({ originsource: '/mycontext', originid: 'A234-1234-1234' });
  });

  it.each<[string, object, Json]>([
    ['a string is a string', { data: 'text' }, 'text'],
    ['a string of JSON is a string all the same', { data: '{}', datacontenttype: 'application/json' }, '{}'],
    ['JSON of another kind', { data: [1], datacontenttype: 'application/vnd.a+json; charset=utf-8' }, [1]],
    ['text', { data: '<a/>', datacontenttype: 'text/xml' }, '<a/>'],
    ['XML', { data: '<a/>', datacontenttype: 'application/xml' }, '<a/>'],
    ['a string of another kind', { data: 'a: 1', datacontenttype: 'application/yaml' }, 'a: 1'],
    ['XML in Base64', { data_base64: base64('<a/>'), datacontenttype: 'application/atom+xml' }, '<a/>'],
    ['JSON in Base64', { data_base64: base64('{"a":1}') }, { a: 1 }],
    ['text in Base64', { data_base64: base64('grün'), datacontenttype: 'text/plain' }, 'grün'],
    [
      'text of another charset',
      { data_base64: base64(Buffer.from([0x67, 0xfc])), datacontenttype: 'Text/Plain; Charset="ISO-8859-1"' },
      'gü',
    ],
    ['nothing in Base64', { data_base64: '', datacontenttype: 'image/png' }, null],
    ['nothing of any kind', { datacontenttype: 'image/png' }, null],
  ])('has data: %s', (_label, fields, data) => {
    expect(eventOfJson({ ...MINIMAL, ...fields }).data).toEqual(data);
  });

  it.each<[string, unknown, string]>([
    ['a list', [], ''],
    ['null', null, ''],
    ['another version', { ...MINIMAL, specversion: '0.3' }, 'specversion'],
    ['no version', { ...MINIMAL, specversion: undefined }, 'specversion'],
    ['no id', { ...MINIMAL, id: undefined }, 'id'],
    ['an empty id', { ...MINIMAL, id: '' }, 'id'],
    ['an id that is no text', { ...MINIMAL, id: '\ud800' }, 'id'],
    ['no source', { ...MINIMAL, source: undefined }, 'source'],
    ['a type that is no topic', { ...MINIMAL, type: 'com/example' }, 'type'],
    ['a pattern as type', { ...MINIMAL, type: 'a.*' }, 'type'],
    ['a time that is none', { ...MINIMAL, time: 'yesterday' }, 'time'],
    ['a traceparent that is a number', { ...MINIMAL, traceparent: 1 }, 'traceparent'],
    ['an extension that is an object', { ...MINIMAL, other: {} }, 'other'],
    ['an extension with another name', { ...MINIMAL, 'an-other': 1 }, 'an-other'],
    ['an extension with a fraction', { ...MINIMAL, other: 0.5 }, 'other'],
    ['a long correlationid', { ...MINIMAL, correlationid: 'x'.repeat(257) }, 'correlationid'],
    ['a causationid that is a number', { ...MINIMAL, causationid: 1 }, 'causationid'],
    ['data with NUL', { ...MINIMAL, data: '\0' }, 'data'],
    ['data twice', { ...MINIMAL, data: 1, data_base64: 'MQ==' }, 'data_base64'],
    ['what is no Base64', { ...MINIMAL, data_base64: '*' }, 'data_base64'],
    ['Base64 of what is no JSON', { ...MINIMAL, data_base64: base64('{') }, 'data'],
    ['Base64 of JSON that nothing holds', { ...MINIMAL, data_base64: base64('"\\ud800"') }, 'data'],
    ['text that is none', { ...MINIMAL, data: {}, datacontenttype: 'text/plain' }, 'data'],
    ['bytes that are no text', { ...MINIMAL, data_base64: '/w==', datacontenttype: 'text/plain' }, 'data'],
    ['no charset', { ...MINIMAL, data_base64: 'YQ==', datacontenttype: 'text/plain;charset=none' }, 'data'],
    ['a picture', { ...MINIMAL, data_base64: 'YQ==', datacontenttype: 'image/png' }, 'datacontenttype'],
    ['no media type', { ...MINIMAL, data: 1, datacontenttype: 'json' }, 'data'],
  ])('is refused: %s', (_label, given, path) => {
    const refusal = refusalOf(() => eventOfJson(given));
    expect(refusal.code).toBe('INVALID_INPUT');
    expect(refusal.details).toContainEqual({ path, reason: expect.any(String) });
  });
});

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }).filter((word) => !word.includes('\0'));
const attributes = fc.record(
  {
    specversion: fc.constant('1.0'),
    id: fc.oneof(words, fc.uuid()),
    source: words,
    type: fc
      .array(fc.stringMatching(/^[a-z0-9]{1,8}$/), { minLength: 1, maxLength: 4 })
      .map((tokens) => tokens.join('.')),
    subject: words,
    time: fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-01-01') })
      .map((date) => date.toISOString()),
    correlationid: words,
    causationid: words,
  },
  { requiredKeys: ['specversion', 'id', 'source', 'type'] },
);

it('whatever its attributes and data, a CloudEvent is an event, and the same one in every mode', () => {
  const data = fc.jsonValue().filter((value) => !/\\u0000|__proto__|constructor/.test(JSON.stringify(value)));
  fc.assert(
    fc.property(attributes, data, (given, value) => {
      const json = JSON.stringify(value);
      const event = eventOfJson({ ...given, data: JSON.parse(json) });
      expect(PublishInput.parse(event)).toEqual(event);
      expect(eventOfJson({ ...given, data_base64: base64(json) })).toEqual(event);
      expect(eventOfParts(given, { bytes: Buffer.from(json), contentType: 'application/json' })).toEqual(event);
    }),
  );
});

describe('an event of the bus as a CloudEvent', () => {
  it('has the source and id of the core, and what came in beside them', () => {
    const given = { ...MINIMAL, correlationid: 'c', causationid: 'd', traceparent: TRACEPARENT, tenant: 'a', data: 1 };
    const { extensions, ...event } = eventOfJson(given);
    const kept = { time: '2026-01-02T03:04:05.678Z', namespace: 'default', source: '/agents/default/ada' };
    const claims = { ...extensions, source: '/core', id: 'x', specversion: '9' };
    expect(cloudEventOf({ ...event, ...kept, id: event.id ?? '', extensions: claims }, 'a-1')).toEqual({
      ...given,
      id: event.id,
      source: kept.source,
      time: kept.time,
      datacontenttype: 'application/json',
      originsource: MINIMAL.source,
      originid: MINIMAL.id,
      swarmposition: 'a-1',
    });
  });

  it('of its own JSON has what it has', () => {
    const kept = { time: '2026-01-02T03:04:05.678Z', namespace: 'default', source: '/core' };
    const event = cloudEventOf({ id: UUID, topic: 'a.b', data: null, ...kept }, 'a-2');
    expect(JSON.parse(JSON.stringify(event))).toEqual({
      specversion: '1.0',
      id: UUID,
      source: '/core',
      type: 'a.b',
      time: kept.time,
      datacontenttype: 'application/json',
      swarmposition: 'a-2',
      data: null,
    });
  });
});
