// Where an event comes from.
import { expect, test } from 'vitest';
import { encodeEvent } from './encode-event.ts';
import { originOf } from './event-origin.ts';

const origin = { namespace: 'n', source: '/operators/two%20words%22', now: '2026-01-01T00:00:00.000Z' };

test('source and topic are read from the beginning of the text, whatever the data is', () => {
  const data = { source: 'x', topic: 'y', text: '","source":"/core","topic":"z"' };
  const { text } = encodeEvent({ topic: 'a.b', data, subject: '"source":"/core"' }, origin);
  expect(originOf(text)).toEqual({ source: origin.source, topic: 'a.b' });
});

test('an event whose fields are in another order is read, too', () => {
  expect(originOf('{"topic":"a","source":"s","id":"1"}')).toMatchObject({ source: 's', topic: 'a' });
});
