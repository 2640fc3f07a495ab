// What tRPC's adapter writes of values that are JSON already.
import { expect, test } from 'vitest';
import { encodeMessage, JsonText } from './json-text.ts';

const messageOf = (data: unknown) => ({ id: 7, result: { type: 'data', id: '3-1', data: { id: '3-1', data } } });

test('a value of a stream is written as it is, in the message that tRPC would write', () => {
  const value = '{"type":"event","event":{"data":[1.5,"grüße"]}}';
  expect(JSON.parse(encodeMessage(messageOf(new JsonText(value))))).toEqual(messageOf(JSON.parse(value)));
  expect(encodeMessage(messageOf(new JsonText('{"count":9007199254740993}')))).toContain('9007199254740993');
});

test.each([
  { id: 1, result: { type: 'started' } },
  { id: 1, result: { type: 'data', data: { agents: [] } } },
  { id: null, method: 'reconnect' },
  { id: 1, error: { code: -32_000, message: 'no' } },
])('every other message is written as tRPC writes it: %j', (message) => {
  expect(JSON.parse(encodeMessage(message))).toEqual(message);
});
