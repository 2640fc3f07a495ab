// The limits of names.
import { describe, expect, test } from 'vitest';
import { AgentName, Name, Namespace } from './name.ts';

const accepts = (schema: typeof Name, value: unknown) => schema.safeParse(value).success;

describe.each([
  ['Name', Name],
  ['Namespace', Namespace],
  ['AgentName', AgentName],
])('%s', (_, schema) => {
  test.each(['a', '0', 'a-b', 'a--b', '0-0', 'worker-17', 'a'.repeat(63)])('the name %j is accepted', (name) => {
    expect(schema.parse(name)).toBe(name);
  });

  test.each([
    '',
    '-',
    '-a',
    'a-',
    'A',
    'aB',
    'a_b',
    'a.b',
    'a b',
    ' a',
    'a\n',
    'é',
    'ａ',
    'a\0',
    '\ud800',
    '__proto__',
    'a'.repeat(64),
    'a'.repeat(100_000),
  ])('refuses %j', (name) => {
    expect(accepts(schema, name)).toBe(false);
  });

  test.each([null, undefined, 1, true, {}, ['a']])('%j is refused as a name', (value) => {
    expect(accepts(schema, value)).toBe(false);
  });
});

test('only an agent may not be called "watch"', () => {
  expect(accepts(Name, 'watch')).toBe(true);
  expect(accepts(AgentName, 'watch')).toBe(false);
  expect(accepts(AgentName, 'watcher')).toBe(true);
});
