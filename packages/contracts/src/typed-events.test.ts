// Which schema a topic gets.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineEvents, matches } from './index.ts';

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
    expect(events.schemaOf(topic)?.safeParse(expected).success).toBe(true);
  });

  test.each(['task', 'plan.created', 'toString', '__proto__'])('has none for %s', (topic) => {
    expect(events.schemaOf(topic)).toBeUndefined();
  });

  test('does not depend on the order of its keys', () => {
    const turned = defineEvents(Object.fromEntries(Object.entries(schemas).toReversed()));
    const tokens = ['task', 'plan', 'qa-1', 'qa-2', 'assigned', 'failed'];
    const topics = tokens.flatMap((a) => tokens.flatMap((b) => [`${a}.${b}`, ...tokens.map((c) => `${a}.${b}.${c}`)]));
    for (const topic of topics) {
      expect(turned.schemaOf(topic)).toBe(events.schemaOf(topic));
      const isKnown = Object.keys(schemas).some((pattern) => matches(pattern, topic));
      expect(events.schemaOf(topic) !== undefined).toBe(isKnown);
    }
  });

  test.each(['constructor', '__proto__', 'toString'])('takes "%s" for a token like any other', (token) => {
    const rest = z.literal('rest');
    const one = z.literal('one');
    const unusual = defineEvents({ [`${token}.>`]: rest, [`${token}.*`]: one });
    expect(unusual.schemaOf(`${token}.a`)).toBe(one);
    expect(unusual.schemaOf(`${token}.a.b`)).toBe(rest);
  });

  test.each(['', 'a..b', 'a.>.b', 'with space'])('refuses the key "%s"', (key) => {
    expect(() => defineEvents({ [key]: z.string() })).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', details: [expect.objectContaining({ path: key })] }),
    );
  });
});
