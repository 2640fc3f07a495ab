import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeEvent } from '../appending/encode-event.ts';
import type { LogEntry } from '../store/event-log.ts';
import { answering } from './read-filter.ts';

const NOW = '2026-01-01T00:00:00.000Z';
const EVERY_TOPIC = () => true;

function entryOf(
  fields: Partial<Parameters<typeof encodeEvent>[0]>,
  source = '/agents/n/a',
  appendedAtMs = 0,
): LogEntry {
  const { topic, text } = encodeEvent({ topic: 'a.b', data: null, ...fields }, { namespace: 'n', source, now: NOW });
  return { position: { epoch: 'e', seq: 1, nonce: 1 }, appendedAtMs, topic, text };
}

/** Texts that look like JSON, or that JSON escapes. */
const hostile = fc.oneof(
  fc.constantFrom(
    'a',
    'a"',
    '"a',
    'a\\',
    'a\\"',
    '","correlationId":"a',
    '\u2028',
    'é',
    '🐝',
    '\u007f',
    '/',
    '\\u0061',
    ' ',
  ),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }),
);

test('an event passes when its field equals the value, whatever either of them and the data contain', () => {
  const fields = fc.constantFrom('correlationId', 'causationId', 'source');
  fc.assert(
    fc.property(fields, hostile, hostile, hostile, (field, own, wanted, other) => {
      const data = { [field]: wanted, text: `"${field}":"${wanted}"`, other };
      const entry =
        field === 'source'
          ? entryOf({ data, subject: wanted }, own)
          : entryOf({ data, subject: wanted, correlationId: other, causationId: other, [field]: own });
      expect(answering({ [field]: wanted }, EVERY_TOPIC)(entry) !== null).toBe(own === wanted);
      expect(answering({ [field]: own }, EVERY_TOPIC)(entry)).toMatchObject({ appendedAt: '1970-01-01T00:00:00.000Z' });
    }),
    { numRuns: 2_000 },
  );
});

test('a span of time includes its beginning and not its end, and no event without a time', () => {
  const at = (ms: number) => entryOf({}, undefined, ms);
  const since = answering({ since: '1970-01-01T00:00:00.010Z' }, EVERY_TOPIC);
  const until = answering({ until: '1970-01-01T01:00:00.010+01:00' }, EVERY_TOPIC);
  expect([9, 10, 11].map((ms) => since(at(ms)) !== null)).toEqual([false, true, true]);
  expect([9, 10, 11].map((ms) => until(at(ms)) !== null)).toEqual([true, false, false]);
  const untimed = { ...at(0), appendedAtMs: null };
  expect([since(untimed), until(untimed)]).toEqual([null, null]);
  expect(answering({}, EVERY_TOPIC)(untimed)).toMatchObject({ appendedAt: null });
});

test('an event whose topic does not pass is left out', () => {
  expect(answering({}, (topic) => topic !== 'a.b')(entryOf({}))).toBeNull();
});
