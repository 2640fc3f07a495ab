// That the short check of an event and its schema say the same.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isBareEvent, PublishInput } from './event.ts';

const letter = fc.constantFrom('a', 'Z', '0', '_', '-');
const topic = fc.array(fc.string({ unit: letter, minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 20 });
const fields = {
  id: fc.oneof(
    fc.uuid(),
    fc.uuid().map((id) => id.toUpperCase()),
    fc.string({ maxLength: 40 }),
    fc.integer(),
  ),
  topic: fc.oneof(
    topic.map((tokens) => tokens.join('.')),
    fc.string({ unit: fc.constantFrom('a', '.', '*', ' ', '\n'), maxLength: 8 }),
    fc.constant('x'.repeat(300)),
    fc.constant(null),
  ),
  data: fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom('\0', { a: ['\ud800'] }, Number.NaN, undefined)),
};
const more = fc.record({ subject: fc.string(), time: fc.string(), other: fc.integer() }, { requiredKeys: [] });
const anything = fc.oneof(
  fc.record(fields),
  fc.record(fields, { requiredKeys: [] }),
  fc.tuple(fc.record(fields), more).map(([event, others]) => ({ ...event, ...others })),
  fc.anything(),
);

test('an event that the fast check accepts, the schema accepts unchanged', () => {
  fc.assert(
    fc.property(anything, (given) => {
      if (isBareEvent(given)) expect(PublishInput.parse(given)).toEqual(given);
    }),
    { numRuns: 2000 },
  );
});

test('the fast check accepts every event of an id, a topic and data that the schema accepts', () => {
  fc.assert(
    fc.property(fc.record(fields), (given) => {
      expect(isBareEvent(given)).toBe(PublishInput.safeParse(given).success);
    }),
    { numRuns: 2000 },
  );
});
