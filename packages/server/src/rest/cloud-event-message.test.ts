// CloudEvents in HTTP requests: how the mode is detected, and how attributes are read from headers.
import { SwarmError } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attributesOf, modeOf } from './cloud-event-message.ts';

describe('the mode', () => {
  it.each([
    [{ 'content-type': 'application/cloudevents+json' }, 'structured'],
    [{ 'content-type': 'Application/CloudEvents+JSON; charset=utf-8', 'ce-id': '1' }, 'structured'],
    [{ 'content-type': 'application/cloudevents-batch+json' }, 'batched'],
    [{ 'content-type': 'application/json', 'ce-specversion': '1.0' }, 'binary'],
    [{ 'ce-id': '' }, 'binary'],
    [{ 'content-type': 'application/json' }, null],
    [{ 'content-type': 'application/json', 'ce-subject': 'a' }, null],
    [{}, null],
  ])('of %j is %s', (headers, mode) => {
    expect(modeOf(headers)).toBe(mode);
  });

  it.each(['application/cloudevents', 'application/cloudevents+avro', 'application/cloudevents-batch+xml'])(
    'of %s is none that we read',
    (contentType) => {
      expect(() => modeOf({ 'content-type': contentType })).toThrow('CloudEvents must be sent as');
    },
  );
});

describe('an attribute in a header', () => {
  const subjectOf = (value: string) => attributesOf({ 'ce-subject': value })['subject'];

  it.each([
    ['plain', 'plain'],
    ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
    ['%e2%82%ac', '€'],
    ['%41%2541', 'A%41'],
    ['100%', '100%'],
    ['%zz', '%zz'],
    ['"quoted \\" \\\\ text"', 'quoted " \\ text'],
    ['"%22"', '"'],
    ['a "b c" d', 'a b c d'],
    ['"open', '"open'],
    [Buffer.from('grün').toString('latin1'), 'grün'],
  ])('%s is read as %s', (value, text) => {
    expect(subjectOf(value)).toBe(text);
  });

  it.each(['%C0%A0', '%ff', '\xff', '%E2%82'])('%s is no UTF-8, and refused', (value) => {
    expect(() => subjectOf(value)).toThrow(SwarmError);
  });

  it('is read back as it was, however much of it is encoded', () => {
    const texts = fc.string({ unit: 'binary' }).map((text) => text.toWellFormed());
    fc.assert(
      fc.property(texts, (text) => {
        expect(subjectOf(encodeURIComponent(text))).toBe(text);
        const all = [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
        expect(subjectOf(all)).toBe(text);
      }),
    );
  });

  it('may be an extension, and is none of what the body has', () => {
    const headers = {
      'ce-data': 'a',
      'ce-datacontenttype': 'text/plain',
      'ce-other': 'b%20c',
      'ce-id': '1',
      other: 'd',
    };
    expect(attributesOf(headers)).toEqual({ id: '1', other: 'b c' });
  });
});
