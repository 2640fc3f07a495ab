import { expect, test } from 'vitest';
import { answerOf, fieldsOf } from './answer-fields.ts';

const schema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', title: 'Your name' },
    count: { type: 'integer' },
    fast: { type: 'boolean' },
    colour: { enum: ['red', 7, null] },
  },
};

test('an object of plain properties becomes fields, and what is filled in becomes the answer', () => {
  const fields = fieldsOf(schema) ?? expect.unreachable();
  expect(fields.map(({ label, kind, isRequired }) => [label, kind, isRequired])).toEqual([
    ['Your name', 'text', true],
    ['count', 'number', false],
    ['fast', 'flag', false],
    ['colour', 'choice', false],
  ]);
  expect(answerOf(fields, { count: '2.5', colour: '7' })).toEqual({ name: '', count: 2.5, fast: false, colour: 7 });
  expect(answerOf(fields, { name: 'Eve', fast: 'true' })).toEqual({ name: 'Eve', fast: true });
});

test.each([
  [true],
  [null],
  [{ type: 'string' }],
  [{ type: 'object', properties: {} }],
  [{ type: 'object', properties: { list: { type: 'array' } } }],
  [{ type: 'object', properties: { evil: 'text' } }],
  [
    {
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`p${n}`, { type: 'string' }])),
    },
  ],
])('any other schema is answered as JSON: %j', (other) => {
  expect(fieldsOf(other)).toBeNull();
});
