import { SwarmError } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonText, parseExact } from './exact-json.ts';

describe('what is sent', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  const deep = { a: [{ b: new Map([['k', 1]]) }] };

  test.each<[string, unknown, string, RegExp]>([
    ['undefined', undefined, 'data', /required/],
    ['a BigInt', { id: 1n }, 'data.id', /BigInt/],
    ['NaN', [1, Number.NaN], 'data.1', /NaN/],
    ['Infinity', { a: { b: -Infinity } }, 'data.a.b', /-Infinity/],
    ['undefined in an array', [undefined], 'data.0', /undefined/],
    // oxlint-disable-next-line no-sparse-arrays -- a hole is what is tested
    ['a hole in an array', [1, , 2], 'data.1', /undefined/],
    ['a function', { run: () => {} }, 'data.run', /function/],
    ['a function alone', () => {}, 'data', /function/],
    ['a symbol', { s: Symbol('s') }, 'data.s', /symbol/],
    ['a Map', deep, 'data.a.0.b', /Map/],
    ['a Set', new Set([1]), 'data', /Set/],
    ['a promise that was not awaited', { user: Promise.resolve(1) }, 'data.user', /Promise/],
    ['an Error', { error: new Error('lost') }, 'data.error', /Error/],
    ['a RegExp', /x/, 'data', /RegExp/],
    ['binary data', { bytes: new Uint8Array(3) }, 'data.bytes', /binary/],
    ['a cycle', circular, 'data', /must be JSON/],
  ])('%s is refused with its path', (_, value, path, reason) => {
    let refusal: unknown;
    try {
      jsonText(value, 'data');
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(SwarmError);
    expect(refusal).toMatchObject({
      code: 'INVALID_INPUT',
      details: [{ path, reason: expect.stringMatching(reason) }],
    });
  });

  test('dates, objects with toJSON, fields that are undefined and instances of classes are taken as JSON.stringify does', () => {
    class Point {
      readonly x = 1;
    }
    const value = {
      at: new Date(0),
      left: undefined,
      point: new Point(),
      buffer: Buffer.from('a'),
      bare: Object.assign(Object.create(null) as object, { a: 1 }),
      money: { toJSON: () => '12.50' },
    };
    expect(jsonText(value)).toBe(JSON.stringify(value));
  });

  test('by property: JSON is sent as JSON.stringify writes it', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => jsonText(value) === JSON.stringify(value)));
  });
});

describe('what is received', () => {
  test.each(['9007199254740993', '-9007199254740993', '1724442618569203714', '-9223372036854775808'])(
    'the integer %s is kept as it came',
    (text) => {
      expect(parseExact(`{"a":[${text},1]}`)).toEqual({ a: [BigInt(text), 1] });
    },
  );

  test('other numbers, and texts of digits, are what JSON.parse makes of them', () => {
    const text = '[9007199254740991,-9007199254740991,0.1234567890123456789,1e30,-0,"9007199254740993"]';
    expect(parseExact(text)).toEqual(JSON.parse(text));
    expect(() => parseExact('[9007199254740993')).toThrow(SyntaxError);
  });

  test('by property: JSON is read as JSON.parse reads it, but for integers beyond 2^53', () => {
    const rounded = (value: unknown): unknown =>
      JSON.parse(JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? Number(one) : one)));
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        expect(JSON.stringify(rounded(parseExact(text)))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });
});
