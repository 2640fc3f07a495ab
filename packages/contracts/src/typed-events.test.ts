// Which schema a topic gets.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type } from 'arktype';
import * as v from 'valibot';
import { defineEvents, matches, readEventData, type StandardSchemaV1, SwarmError } from './index.ts';

describe('a catalogue', () => {
  const schemas = {
    'task.>': z.literal('rest'),
    'task.*.assigned': z.literal('any agent'),
    'task.qa-1.*': z.literal('any step'),
    'task.qa-1.assigned': z.literal('exactly'),
    'task.*.>': z.literal('any agent, rest'),
    '*.qa-1.assigned': z.literal('any goal'),
  };
  const events = defineEvents(schemas);

  test.each([
    ['task.qa-1.assigned', 'exactly'],
    ['task.qa-1.failed', 'any step'],
    ['task.qa-2.assigned', 'any agent'],
    ['task.qa-2.failed', 'any agent, rest'],
    ['task.qa-2.failed.twice', 'any agent, rest'],
    ['task.swept', 'rest'],
    ['plan.qa-1.assigned', 'any goal'],
  ])('has for %s the schema of what says most: %s', (topic, expected) => {
    expect(readEventData(events, topic, expected)).toBe(expected);
  });

  test.each(['task', 'plan.created', 'toString', '__proto__'])('a catalogue has no schema for %s', (topic) => {
    expect(events.schemaOf(topic)).toBeUndefined();
  });

  test('a catalogue does not depend on the order of its keys', () => {
    const turned = defineEvents(Object.fromEntries(Object.entries(schemas).toReversed()));
    const tokens = ['task', 'plan', 'qa-1', 'qa-2', 'assigned', 'failed'];
    const topics = tokens.flatMap((a) => tokens.flatMap((b) => [`${a}.${b}`, ...tokens.map((c) => `${a}.${b}.${c}`)]));
    for (const topic of topics) {
      expect(turned.schemaOf(topic)).toBe(events.schemaOf(topic));
      const isKnown = Object.keys(schemas).some((pattern) => matches(pattern, topic));
      expect(events.schemaOf(topic) !== undefined).toBe(isKnown);
    }
  });

  test.each(['constructor', '__proto__', 'toString'])('a catalogue treats "%s" as a token like any other', (token) => {
    const rest = z.literal('rest');
    const one = z.literal('one');
    const unusual = defineEvents({ [`${token}.>`]: rest, [`${token}.*`]: one });
    expect(unusual.schemaOf(`${token}.a`)).toBe(one);
    expect(unusual.schemaOf(`${token}.a.b`)).toBe(rest);
  });

  test('a catalogue uses the most specific of the patterns that match', () => {
    const dotted = (tokens: string[], maxLength: number) =>
      fc.array(fc.constantFrom(...tokens), { minLength: 1, maxLength }).map((some) => some.join('.'));
    const pattern = fc.oneof(
      dotted(['a', 'b', '*'], 4),
      dotted(['a', 'b', '*'], 3).map((head) => `${head}.>`),
    );
    const saysMore = (one: string, other: string): boolean => {
      const ranks = (dots: string) => dots.split('.').map((token) => ['*', '>'].indexOf(token));
      const [left, right] = [ranks(one), ranks(other)];
      const at = left.findIndex((rank, index) => rank !== right[index]);
      return (left[at] ?? 0) < (right[at] ?? 0);
    };
    fc.assert(
      fc.property(
        fc.uniqueArray(pattern, { minLength: 1, maxLength: 8 }),
        dotted(['a', 'b', 'c'], 4),
        (keys, topic) => {
          const all = Object.fromEntries(keys.map((key) => [key, z.literal(key)]));
          const schema = defineEvents(all).schemaOf(topic);
          const found = keys.find((key) => all[key] === schema);
          const matching = keys.filter((key) => matches(key, topic));
          expect(found === undefined).toBe(matching.length === 0);
          for (const other of matching) expect(found !== undefined && saysMore(other, found)).toBe(false);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test.each(['', 'a..b', 'a.>.b', 'with space'])('a catalogue refuses the key "%s"', (key) => {
    expect(() => defineEvents({ [key]: z.string() })).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', details: [expect.objectContaining({ path: key })] }),
    );
  });
});

describe.each<[string, StandardSchemaV1, string]>([
  ['zod', z.object({ id: z.string() }), 'id'],
  ['Valibot', v.object({ id: v.string() }), 'id'],
  ['ArkType', type({ id: 'string' }), 'id'],
])('a schema of %s', (_, schema, path) => {
  const events = defineEvents({ 'build.*': schema });

  test('a catalogue reads the data of an event', () => {
    expect(readEventData(events, 'build.finished', { id: 'b1' })).toEqual({ id: 'b1' });
  });

  test('a catalogue refuses data that does not match, with the path of the fault', () => {
    expect(refusalOf(() => readEventData(events, 'build.finished', { id: 1 }))).toMatchObject({
      code: 'INVALID_INPUT',
      details: [{ path, reason: expect.any(String) }],
    });
  });
});

test('data of a topic without a schema is refused', () => {
  const refusal = refusalOf(() => readEventData(defineEvents({ a: z.string() }), 'b', ''));
  expect(refusal).toMatchObject({ code: 'INVALID_INPUT', details: [{ path: 'topic' }] });
});

test('a schema that is marked as asynchronous is refused when events are defined', () => {
  const schema = v.pipeAsync(
    v.string(),
    v.checkAsync(async () => true),
  );
  expect(refusalOf(() => defineEvents({ 'build.finished': schema }))).toMatchObject({
    code: 'INVALID_INPUT',
    message: '"build.finished" must have a synchronous schema',
  });
});

test.each<[string, StandardSchemaV1]>([
  ['is asynchronous', z.string().refine(async () => true)],
  ['throws', z.string().transform(() => JSON.parse('{'))],
])('a schema that %s is named at its first use', (_, schema) => {
  const events = defineEvents({ 'build.finished': schema });
  expect(() => readEventData(events, 'build.finished', 'text')).toThrow(
    new TypeError('the schema of the topic "build.finished" is asynchronous, or it threw: it must do neither'),
  );
});

function refusalOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    expect(error).toBeInstanceOf(SwarmError);
    return error;
  }
}
