import { expect, test } from 'vitest';
import { fieldsOf, inputOf } from './input-fields.ts';

const SCHEMA = {
  type: 'object',
  required: ['ticket'],
  properties: {
    ticket: { type: 'string', title: 'Ticket', description: 'Such as SWM-17' },
    urgent: { type: 'boolean' },
    files: { type: 'integer', default: 3 },
    style: { enum: ['plain', 'thorough'] },
    more: { type: 'array' },
  },
};

test('an object with properties is a form, with a field for each', () => {
  const fields = fieldsOf(SCHEMA) ?? [];
  expect(fields.map(({ name, kind }) => [name, kind])).toEqual([
    ['ticket', 'text'],
    ['urgent', 'boolean'],
    ['files', 'integer'],
    ['style', 'choice'],
    ['more', 'json'],
  ]);
  expect(fields[0]).toMatchObject({ isRequired: true, title: 'Ticket', description: 'Such as SWM-17' });
  expect(fields[3]?.values).toEqual(['plain', 'thorough']);
});

test('what is typed becomes the input, and optional fields that are empty are left out', () => {
  const fields = fieldsOf(SCHEMA) ?? [];
  expect(inputOf(fields, new Map(Object.entries({ ticket: '17', urgent: 'true', more: '[1]' })))).toEqual({
    ticket: '17',
    urgent: true,
    files: 3,
    more: [1],
  });
  expect(inputOf(fields, new Map())).toEqual({ ticket: '', files: 3 });
  expect(() => inputOf(fields, new Map([['files', 'x']]))).toThrow(SyntaxError);
});

test.each([undefined, null, true, [], {}, { type: 'string' }, { type: 'object' }, { type: 'object', properties: [] }])(
  'a schema that is no object with fields is no form: %j',
  (schema) => {
    expect(fieldsOf(schema)).toBeNull();
  },
);

test('a hostile schema gives fields of text alone', () => {
  const properties = JSON.parse(
    '{"__proto__":{"type":{}},"a":null,"b":{"enum":[{}],"title":7,"description":{"x":1}}}',
  ) as object;
  const fields = fieldsOf({ type: 'object', properties, required: 'a' }) ?? [];
  expect(fields.map(({ kind, title, description }) => [kind, title, description])).toEqual([
    ['json', null, null],
    ['json', null, null],
    ['json', null, null],
  ]);
  expect(inputOf(fields, new Map())).toEqual({});
  expect(JSON.stringify(inputOf(fields, new Map([['__proto__', '1']])))).toBe('{"__proto__":1}');
});
