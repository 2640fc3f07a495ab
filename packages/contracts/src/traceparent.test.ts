import { expect, it } from 'vitest';
import { readTraceparent } from './traceparent.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

it.each([
  ['as it came', `00-${TRACE}-${PARENT}-01`, `00-${TRACE}-${PARENT}-01`],
  ['of a later version', `cc-${TRACE}-${PARENT}-01-what-the-future-will-be-like`, `00-${TRACE}-${PARENT}-01`],
  ['of a later version with more flags', `01-${TRACE}-${PARENT}-03`, `00-${TRACE}-${PARENT}-01`],
])('a traceparent %s is read', (_label, text, expected) => {
  expect(readTraceparent(text)).toBe(expected);
});

it.each([
  ['nothing', ''],
  ['a word', 'x'],
  ['upper case', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
  ['version ff', `ff-${TRACE}-${PARENT}-01`],
  ['more than version 00 has', `00-${TRACE}-${PARENT}-01-more`],
  ['no trace', `00-${'0'.repeat(32)}-${PARENT}-01`],
  ['no parent', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['a line break', `00-${TRACE}-${PARENT}-01\n`],
])('%s is none', (_label, text) => {
  expect(readTraceparent(text)).toBeUndefined();
});
