// What models write around JSON, and what is found in it.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fencedBlocks, objectsIn, withoutThoughts } from './json-in-text.ts';

test.each<[string, string, object[]]>([
  ['nothing', 'Sure!', []],
  ['an object alone', '{"a":1}', [{ a: 1 }]],
  ['an object with braces in strings', 'so: {"a":"} \\" {"} and on', [{ a: '} " {' }]],
  ['objects in objects', '{"a":{"b":{}}}', [{ a: { b: {} } }]],
  ['several', '{"a":1} or {"b":2}', [{ a: 1 }, { b: 2 }]],
  ['words in braces before and after it', 'Dear {you}, {"a":1} for {them} :}', [{ a: 1 }]],
  ['an open brace before it', 'set {x: "y" and then {"a":1}', [{ a: 1 }]],
  ['an open quote before it', 'a 12" {"a":1}', [{ a: 1 }]],
  ['an object that was cut off', '{"a":[{"b":1},', [{ b: 1 }]],
])('the objects in a text: %s', (_, text, objects) => {
  expect(objectsIn(text)).toEqual(objects);
});

test('every object is found between words without braces', () => {
  const words = fc.string().map((text) => text.replaceAll(/[{}]/g, ''));
  fc.assert(
    fc.property(words, fc.dictionary(fc.string(), fc.jsonValue()), words, (before, object, after) => {
      expect(objectsIn(`${before}${JSON.stringify(object)}${after}`)).toEqual([JSON.parse(JSON.stringify(object))]);
    }),
  );
});

test('a text of braces alone is given up in bounded time', () => {
  expect(objectsIn('{'.repeat(2 * 1024 * 1024))).toEqual([]);
});

test.each([
  ['no thoughts', 'a', 'a'],
  ['thoughts', '<think>a {</think>b', 'b'],
  ['thoughts whose beginning is missing', 'a</thinking>\nb', '\nb'],
  ['several', '<think>a</think>b<think>c</think>d', 'd'],
])('what follows thoughts: %s', (_, text, rest) => {
  expect(withoutThoughts(text)).toBe(rest);
});

test.each<[string, string, string[]]>([
  ['none', 'a `b` c', []],
  ['with a language', 'So:\n```json\n{}\n```\nand {more}', ['{}\n']],
  ['of another kind, and indented', '  ~~~\na\n  ~~~', ['a\n']],
  ['two', '```\na\n```\nb\n```js\nc\n```', ['a\n', 'c\n']],
  ['without an end', '```json\n{"a":1}', ['{"a":1}']],
])('fenced blocks: %s', (_, text, blocks) => {
  expect(fencedBlocks(text)).toEqual(blocks);
});
