import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assertPlainNames } from './plain-names.ts';

test.each([
  '{"__proto__":1}',
  '{"a":[{"__proto__" : {}}]}',
  String.raw`{"\u005f_pr\u006Fto__":1}`,
  String.raw`{"\u005F\u005F\u0070\u0072\u006f\u0074\u006f\u005f\u005f":1}`,
  '{"constructor":{"prototype":{"a":1}}}',
  String.raw`{"a":{"c\u006fnstructor":{"\u0070rototype":1}}}`,
  `${'['.repeat(100_000)}{"__proto__":1}${']'.repeat(100_000)}`,
])('a name that reaches a prototype is refused: %#', (text) => {
  expect(() => assertPlainNames(text)).toThrow('__proto__');
});

test.each([
  '{"proto":1}',
  '{"__PROTO__":1}',
  '["__proto__"]',
  '"{\\"__proto__\\":1}"',
  String.raw`{"a\"__proto__":1}`,
  '{"constructor":"Ferrari"}',
  '{"constructor":{"name":"Ferrari"}}',
  '{"prototype":{"constructor":1}}',
  '{"__proto__":',
])('another name is not: %#', (text) => {
  expect(() => assertPlainNames(text)).not.toThrow();
});

test('a key is refused exactly when it is __proto__, however it is escaped', () => {
  const letter = fc.constantFrom('_', 'p', 'r', 'o', 't', 'P');
  const name = fc.oneof(fc.constant('__proto__'), fc.string({ unit: letter, minLength: 7, maxLength: 10 }));
  fc.assert(
    fc.property(name, fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }), (key, escaped) => {
      const written = key
        .split('')
        .map((char, index) => (escaped[index] === true ? `\\u00${char.charCodeAt(0).toString(16)}` : char));
      const check = () => assertPlainNames(`{"a":{"${written.join('')}":1}}`);
      if (key === '__proto__') expect(check).toThrow();
      else expect(check).not.toThrow();
    }),
  );
});
