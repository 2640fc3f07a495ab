// Which strings and JSON the stores can hold.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonFault } from './json-fault.ts';
import { json, jsonObject, text } from './text.ts';

/** `depth` arrays or objects inside each other, as they come out of a parser. */
const nested = (depth: number, [open, close] = ['[', ']']): unknown =>
  JSON.parse(`${open.repeat(depth)}${open === '[' ? '' : '0'}${close.repeat(depth)}`);
const objects: [string, string] = ['{"a":', '}'];

describe('text', () => {
  test.each(['', 'plain', 'é', '👍', '￿', '\u0001', 'x'.repeat(10)])('the text %j is accepted', (value) => {
    expect(text(10).parse(value)).toBe(value);
  });

  test.each(['\0', 'a\0b', '\ud800', 'a\udc00b', '\udc4d\ud83d', 'x'.repeat(11)])('the text %j is refused', (value) => {
    expect(text(10).safeParse(value).success).toBe(false);
  });

  test('the length of a text counts code points, as JSON Schema and PostgreSQL do', () => {
    expect(text(2).safeParse('👍👍').success).toBe(true);
    expect(text(1).safeParse('👍👍').success).toBe(false);
  });

  test('a text may have a minimum length', () => {
    expect(text(10, 1).safeParse('').success).toBe(false);
  });
});

describe('jsonFault', () => {
  test('jsonFault finds no fault in the output of a JSON parser', () => {
    const storable = fc.jsonValue({ depthSize: 'small', maxDepth: 10, stringUnit: 'grapheme' });
    fc.assert(fc.property(storable, (value) => JSON.stringify(value).includes('\\u0000') || jsonFault(value) === null));
  });

  test.each<[string, unknown]>([
    ['NUL', 'a\0'],
    ['a lone surrogate', ['\ud800']],
    ['NUL in a key', { 'a\0': 1 }],
    ['a lone surrogate in a key', { a: [{ '\udc00': 1 }] }],
    ['NaN', Number.NaN],
    ['infinity', [Number.POSITIVE_INFINITY]],
    ['undefined', { a: undefined }],
    ['a function', [() => 1]],
    ['a bigint', 1n],
    ['a symbol', Symbol('a')],
  ])('finds %s', (_, value) => {
    expect(jsonFault(value)).toEqual({ path: expect.any(Array), reason: expect.any(String) });
  });

  test.each([
    ['arrays', ['[', ']'] as [string, string]],
    ['objects', objects],
  ])('takes 64 levels of %s and no more', (_, brackets) => {
    expect(jsonFault(nested(64, brackets))).toBeNull();
    expect(jsonFault(nested(65, brackets))).toEqual({ path: [], reason: 'must not be nested deeper than 64 levels' });
  });

  test.each([
    ['arrays', ['[', ']'] as [string, string]],
    ['objects', objects],
  ])('answers for 100,000 levels of %s', (_, brackets) => {
    expect(jsonFault(nested(100_000, brackets))).toEqual({
      path: [],
      reason: 'must not be nested deeper than 64 levels',
    });
  });

  test('a wide value does not count as a deep one', () => {
    expect(jsonFault(Array.from({ length: 100_000 }, () => ({ a: [] })))).toBeNull();
  });
});

test('json returns the value unchanged', () => {
  const value = JSON.parse('{"__proto__":{"a":1},"b":[null,"",0.5]}') as unknown;
  expect(json.parse(value)).toBe(value);
  expect(json.parse(null)).toBeNull();
  expect(json.safeParse(undefined).success).toBe(false);
  expect(json.safeParse(nested(100_000)).success).toBe(false);
});

test('jsonObject accepts objects only', () => {
  const value = { type: 'object', properties: {} };
  expect(jsonObject.parse(value)).toBe(value);
  expect(jsonObject.safeParse(nested(100_000, objects)).success).toBe(false);
  for (const other of [[], null, 'a', 1, undefined]) expect(jsonObject.safeParse(other).success).toBe(false);
});
