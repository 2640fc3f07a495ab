// Schemas of strangers: what fits, what does not, and what is not tried.
import type { Json } from '@hypercode/contracts';
import { trackLeaks } from '@hypercode/testkit';
import { afterAll, expect, test } from 'vitest';
import { faultInWords, SchemaChecks } from './schema-checks.ts';

const checks = new SchemaChecks();
afterAll(() => checks.close());

const NOT_TRIED = expect.stringMatching(/./);

test.each<[string, Json, Json, string | null]>([
  ['fits', { type: 'object', properties: { n: { type: 'number' } } }, { n: 1 }, null],
  ['has another type inside', { properties: { a: { items: { type: 'number' } } } }, { a: [1, 'x'] }, '/a/1'],
  ['lacks a property', { required: ['constructor'] }, {}, ''],
  ['is excluded by the schema false', false, 1, ''],
  ['fits the schema true', true, 1, null],
  ['follows a reference inside', { $defs: { n: { type: 'number' } }, $ref: '#/$defs/n' }, 'x', ''],
  ['does not match a pattern', { pattern: '^a+$' }, 'b', ''],
  ['is not in the enum', { enum: [{ pattern: '(' }] }, 1, ''],
  [
    'has a property called __proto__',
    JSON.parse('{"properties":{"__proto__":{"type":"number"}}}') as Json,
    JSON.parse('{"__proto__":"x"}') as Json,
    '/__proto__',
  ],
])('a value that %s', async (_, schema, value, path) => {
  const { fault, unchecked } = await checks.check(schema, value);
  expect(unchecked).toBeNull();
  expect(fault?.path ?? null).toBe(path);
  if (fault !== null) expect(faultInWords(fault)).toMatch(/^(\/|the value: )/);
});

const deep = (levels: number): Json => (levels === 0 ? {} : { not: { not: deep(levels - 1) } });
const doubling = Object.fromEntries(
  Array.from({ length: 60 }, (_, n) => [
    `d${n}`,
    { allOf: [{ $ref: `#/$defs/d${n + 1}` }, { $ref: `#/$defs/d${n + 1}` }] },
  ]),
);

test.each<[string, Json, Json]>([
  ['is larger than 32 KiB', { description: 'x'.repeat(33_000) }, 1],
  ['is nested deeper than 32 levels', deep(17), 1],
  ['refers to another document', { $ref: 'https://example.com/schema.json' }, 1],
  ['is no schema', 'string', 1],
  ['refers to itself without an end', { $ref: '#' }, 1],
  ['doubles with each reference', { $defs: { ...doubling, d60: {} }, $ref: '#/$defs/d0' }, 1],
  ['has a pattern that takes exponential time', { pattern: '^(a+)+$' }, `${'a'.repeat(64)}!`],
])('a schema that %s is not tried, and says so', async (_, schema, value) => {
  expect(await checks.check(schema, value)).toEqual({ fault: null, unchecked: NOT_TRIED });
});

test.each<[string, string, string]>([
  ['is longer than 256 characters', 'a'.repeat(257), 'x'],
  ['is no regular expression', '(', 'x'],
  ['would be tried on more than 4,096 characters', 'x', 'y'.repeat(5_000)],
])('of a schema with a pattern that %s the rest is tried', async (_, pattern, text) => {
  const schema = { properties: { text: { type: 'string', pattern }, n: { type: 'number' } } };
  expect(await checks.check(schema, { text, n: 1 })).toEqual({ fault: null, unchecked: NOT_TRIED });
  expect(await checks.check(schema, { text, n: 'one' })).toMatchObject({ fault: { path: '/n' }, unchecked: NOT_TRIED });
});

test('comparisons after one that took too long are made', async () => {
  const slow = checks.check({ pattern: '^(a+)+$' }, `${'a'.repeat(64)}!`);
  const others = Array.from({ length: 20 }, (_, n) => checks.check({ maximum: 9 }, n));
  expect((await slow).unchecked).toMatch(/took longer/);
  expect((await Promise.all(others)).filter(({ fault }) => fault !== null)).toHaveLength(10);
});

test('nothing is left behind', async () => {
  const leaks = trackLeaks();
  const own = new SchemaChecks();
  expect((await own.check({ type: 'number' }, 'x')).fault).not.toBeNull();
  const waiting = own.check({ type: 'number' }, 'x');
  await own.close();
  expect(await waiting).toMatchObject({ fault: null, unchecked: NOT_TRIED });
  await leaks.check();
});
