import { expect, test } from 'vitest';
import { linePath } from './line-path.ts';

test('a line without corners is straight, and one without points is nothing', () => {
  expect(linePath([])).toBe('');
  expect(
    linePath([
      { x: 0, y: 0 },
      { x: 10, y: 0 },
    ]),
  ).toBe('M0 0L10 0');
});

test('a corner is round, and never longer than half of a short line', () => {
  expect(
    linePath([
      { x: 0, y: 0 },
      { x: 100, y: 0 },
      { x: 100, y: 4 },
    ]),
  ).toBe('M0 0L92 0Q100 0 100 2L100 4');
});
