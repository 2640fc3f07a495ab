import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Agent, AgentRegistration } from './agent.ts';
import { procedures } from './api/api.ts';
import { SwarmEvent } from './event.ts';
import { knownFieldsOf, takesBack, unknownFields } from './known-fields.ts';
import { json } from './text.ts';

const namesIn = (value: unknown, schema: z.ZodType, limit = 10): string[] =>
  unknownFields(value, knownFieldsOf(schema), limit).map(({ path }) => path.join('.'));

describe('fields that a schema does not have are found', () => {
  const Inner = z.object({ a: z.string() });

  it.each([
    ['in an object', z.object({ a: z.string() }), { a: '', b: 1, c: 2 }, ['b', 'c']],
    ['in an optional object', z.object({ in: Inner.optional() }), { in: { b: 1 } }, ['in.b']],
    ['in an object or null', z.object({ in: Inner.nullish() }), { in: { b: 1 } }, ['in.b']],
    ['in an object with a default', z.object({ in: Inner.default({ a: '' }) }), { in: { b: 1 } }, ['in.b']],
    ['in the items of a list', z.object({ in: z.array(Inner) }), { in: [{ a: '' }, { b: 1 }] }, ['in.1.b']],
    ['under names of the caller', z.record(z.string(), Inner), { x: { b: 1 }, y: { a: '' } }, ['x.b']],
    ['in an alternative', z.union([z.string(), Inner, z.object({ c: z.string() })]), { a: '', b: 1, c: '' }, ['b']],
    ['before a transformation', Inner.transform(({ a }) => a), { a: '', b: 1 }, ['b']],
  ])('%s', (_where, schema, value, expected) => {
    expect(namesIn(value, schema)).toEqual(expected);
  });
});

it.each([
  ['free JSON', z.object({ data: json }), { data: { anything: { goes: 1 } } }],
  ['free JSON as an alternative', z.union([z.object({ a: z.string() }), json]), { b: 1 }],
  ['a value of another form', z.object({ in: z.object({ a: z.string() }) }), { in: 'text' }],
  ['a list in place of an object', z.object({ a: z.string() }), [{ b: 1 }]],
  ['no object', z.object({ a: z.string() }), null],
])('%s has no unknown fields', (_label, schema, value) => {
  expect(namesIn(value, schema)).toEqual([]);
});

it('fields of an answer that is sent back are known, and others are not', () => {
  const Answer = z.object({ a: z.string(), madeAt: z.string() });
  const Input = takesBack(z.object({ a: z.string() }), Answer);
  expect(namesIn({ a: '', madeAt: '', other: 1 }, Input)).toEqual(['other']);
  expect(namesIn(Object.fromEntries(Object.keys(Agent.shape).map((name) => [name, 1])), AgentRegistration)).toEqual([]);
});

it('no more are listed than are asked for', () => {
  expect(namesIn({ b: 1, c: 2, d: 3 }, z.object({ a: z.string() }), 2)).toEqual(['b', 'c']);
});

it('names of the prototype of objects are fields like any other', () => {
  expect(namesIn({ toString: 1, hasOwnProperty: 2 }, z.object({ a: z.string() }))).toEqual([
    'toString',
    'hasOwnProperty',
  ]);
});

it('every input says which fields it has', () => {
  for (const [, { input }] of procedures) expect(knownFieldsOf(input)).toMatchObject({ fields: expect.any(Map) });
  const publish = procedures.find(([name]) => name === 'bus.publish')?.[1].input ?? z.never();
  expect(namesIn(Object.fromEntries(Object.keys(SwarmEvent.shape).map((name) => [name, 1])), publish)).toEqual([]);
});
