// No character of a text can act on a terminal, and JSON keeps its meaning.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainJson, plainText } from './plain-text.ts';

/** What a terminal may act on, or what hides or reorders text. */
// oxlint-disable-next-line no-control-regex -- These are what is looked for.
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

test('escape sequences, bidi marks and line breaks are shown as escapes', () => {
  expect(plainText('a\u001b[31mb\u202Ec\nd\u009b')).toBe(String.raw`a\u001b[31mb\u202ec\nd\u009b`);
  expect(plainText('\u{E0041}')).toBe(String.raw`\u{e0041}`);
  expect(plainText('grüße 世界 👋')).toBe('grüße 世界 👋');
});

test('without UTF-8, all is ASCII', () => {
  expect(plainText('grüße …', { ascii: true })).toBe(String.raw`gr\u00fc\u00dfe ...`);
  expect(plainJson({ a: 'ü👋' }, { ascii: true })).toBe(String.raw`{"a":"\u00fc\ud83d\udc4b"}`);
});

test('no text keeps a harmful character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(plainText(text)).not.toMatch(HARMFUL);
      expect(plainText(text, { ascii: true })).toMatch(/^[\x20-\x7e]*$/);
      const json = plainJson({ text });
      expect(json).not.toMatch(HARMFUL);
      expect(JSON.parse(json)).toEqual({ text });
    }),
  );
});
