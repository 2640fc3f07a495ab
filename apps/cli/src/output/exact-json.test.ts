import { describe, expect, test } from 'vitest';
import { exactText, parseExact } from './exact-json.ts';

describe('JSON without a loss', () => {
  test.each([
    '{"a":1,"b":[true,null,"x"]}',
    '{"n":12345678901234567890}',
    '[1e999,-1e-999,0.1000000000000000055]',
    '{"text":"12345678901234567890 stays a text"}',
    '{"__proto__":{"a":12345678901234567890}}',
  ])('%s is written as it was read', (text) => {
    expect(JSON.stringify(parseExact(text))).toBe(text);
  });

  test('an integer that the client has read as a bigint is written with its digits', () => {
    expect(exactText({ n: 12345678901234567890n, m: 1 })).toBe('{"n":12345678901234567890,"m":1}');
    expect(exactText(undefined)).toBe('null');
  });

  test('what is no JSON throws', () => {
    expect(() => parseExact('{"n":12345678901234567890')).toThrow(SyntaxError);
  });
});
