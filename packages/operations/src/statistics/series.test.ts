// Series from rows: a point for each step, and null where there is nothing.
import { expect, test } from 'vitest';
import { rangeOf, seriesOf } from './series.ts';

const NOW = Date.parse('2026-06-01T12:00:07.000Z');

test('a series begins at a multiple of its step, and its last point is the one of now', () => {
  expect(rangeOf('2026-06-01T11:59:48Z', 10_000, NOW)).toEqual({
    startMs: Date.parse('2026-06-01T11:59:40Z'),
    stepMs: 10_000,
    points: 3,
  });
  expect(rangeOf(undefined, 10_000, NOW)).toMatchObject({ points: 361 });
  expect(rangeOf('2027-01-01T00:00:00Z', 60_000, NOW)).toMatchObject({ points: 1 });
  expect(rangeOf('2026-05-31T11:00:00Z', 10_000, NOW)).toMatchObject({ points: 9001 });
});

test('a series of too many points is refused', () => {
  expect(() => rangeOf('2026-01-01T00:00:00Z', 10_000, NOW)).toThrow('10000 are allowed');
});

test('steps without a row are null, and so is what was not counted', () => {
  const none = { delivered: 0, acked: 0, redelivered: 0, dead: 0, refused: 0 };
  const range = { startMs: 20_000, stepMs: 10_000, points: 3 };
  const rows = [{ step: 30_000, published: 4, publishP99Ms: null, ...none }];
  expect(seriesOf(['published', 'acked', 'publishP99Ms'], rows, range)).toEqual({
    stepMs: 10_000,
    start: '1970-01-01T00:00:20.000Z',
    series: { published: [null, 4, null], acked: [null, 0, null], publishP99Ms: [null, null, null] },
  });
});
