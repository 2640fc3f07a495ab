// Positions go out as text and come back as what they were, and nothing else passes for one.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatPosition, isSamePosition, MAX_NONCE, parsePosition, positionIn } from './position.ts';

const positions = fc.record({
  epoch: fc.stringMatching(/^[0-9a-z]{1,16}$/),
  seq: fc.maxSafeNat(),
  nonce: fc.integer({ min: 0, max: MAX_NONCE }),
});

describe('a position', () => {
  test('a position formatted as text parses to the same position', () => {
    fc.assert(
      fc.property(positions, (position) => {
        expect(parsePosition(formatPosition(position))).toEqual(position);
      }),
    );
  });

  test('a position has exactly one valid text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const position = parsePosition(text);
        if (position !== null) expect(formatPosition(position)).toBe(text);
      }),
    );
  });

  test.each([
    '',
    '-',
    'e-1',
    'e-1-1-1',
    'E-1-1',
    'e-01-1',
    'e-1-zzzzzz',
    'e--1-1',
    'e-zzzzzzzzzzz-1',
    ' e-1-1',
    'e-1-1\n',
  ])('%j is none', (text) => expect(parsePosition(text)).toBeNull());

  test('an invalid position is refused with the name of its field', () => {
    expect(() => positionIn('42', 'from.after')).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', details: [expect.objectContaining({ path: 'from.after' })] }),
    );
  });

  test('positions are equal only if all of their parts are', () => {
    const position = { epoch: 'a', seq: 1, nonce: 2 };
    expect(isSamePosition(position, { ...position })).toBe(true);
    for (const other of [{ epoch: 'b' }, { seq: 2 }, { nonce: 3 }]) {
      expect(isSamePosition(position, { ...position, ...other })).toBe(false);
    }
  });
});
