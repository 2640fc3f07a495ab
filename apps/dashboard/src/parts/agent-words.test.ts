import { expect, test } from 'vitest';
import { shown } from './agent-words.ts';

test('bidi controls, zero-width and control characters are shown as escapes', () => {
  expect(shown('pay \u202Etxt.exe')).toBe('pay \\u{202E}txt.exe');
  expect(shown('a\u200Bb\u0000c\u001B[31m')).toBe('a\\u{200B}b\\u{0}c\\u{1B}[31m');
  expect(shown('\u{E0041}')).toBe('\\u{E0041}');
});

test('line breaks become spaces, and joined emoji stay whole', () => {
  expect(shown('one\ntwo\tthree')).toBe('one two three');
  expect(shown('👩‍🔧 works')).toBe('👩‍🔧 works');
});
