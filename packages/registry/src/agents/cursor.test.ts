// Cursors of pages: what goes in comes out, and nothing else is taken.
import { SwarmError } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeCursor, encodeCursor } from './cursor.ts';

const refusal = (decode: () => string): SwarmError => {
  try {
    decode();
  } catch (error) {
    if (error instanceof SwarmError) return error;
  }
  throw new Error('expected a refusal');
};
const raw = (text: string): string => Buffer.from(text).toString('base64url');

describe('a cursor', () => {
  test('a cursor decodes to the name or the revision that it encodes', () => {
    const name = fc.stringMatching(/^[a-z0-9-]{1,63}$/);
    fc.assert(fc.property(name, (value) => decodeCursor('query', encodeCursor('query', value)) === value));
    const revision = fc
      .maxSafeNat()
      .filter((value) => String(value).length <= 15)
      .map(String);
    fc.assert(fc.property(revision, (value) => decodeCursor('history', encodeCursor('history', value)) === value));
  });

  test('a cursor needs no escaping in a URL', () => {
    expect(encodeCursor('query', 'a'.repeat(63))).toMatch(/^[\w-]+$/);
  });

  test('a cursor is valid only for its own kind of page', () => {
    expect(refusal(() => decodeCursor('history', encodeCursor('query', '12'))).code).toBe('INVALID_INPUT');
    expect(refusal(() => decodeCursor('query', encodeCursor('history', '12'))).code).toBe('INVALID_INPUT');
  });

  test.each([
    ['nothing', ''],
    ['garbage', '%%%'],
    ['another kind', raw('other:a')],
    ['no value', raw('query:')],
    ['a name that is none', raw('query:Ada')],
    ['a name that is too long', raw(`query:${'a'.repeat(64)}`)],
    ['two lines', raw('query:a\nb')],
    ['padding', `${encodeCursor('query', 'ada')}=`],
    ['a space inside', encodeCursor('query', 'ada').replace(/^./, '$& ')],
  ])('that is %s is refused by name', (_, cursor) => {
    const { code, details } = refusal(() => decodeCursor('query', cursor));
    expect(code).toBe('INVALID_INPUT');
    expect(details).toEqual([{ path: 'cursor', reason: 'was not returned by this call' }]);
  });

  test.each(['-1', '1.5', '1e3', '0x10', '9'.repeat(16)])('a cursor of revision %s is refused', (revision) => {
    expect(refusal(() => decodeCursor('history', raw(`history:${revision}`))).code).toBe('INVALID_INPUT');
  });

  test('any other text is refused as a cursor with an invalid-input error', () => {
    const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));
    fc.assert(
      fc.property(anyText, (text) => {
        expect(refusal(() => decodeCursor('query', text)).code).toBe('INVALID_INPUT');
      }),
    );
  });
});
