import { expect, test } from 'vitest';
import { clockText, counted, dayText, durationText, shortTimeText } from './duration.ts';

test('a duration is given in its largest whole unit', () => {
  const texts = [-5, 0, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000 * 3].map(durationText);
  expect(texts).toEqual(['0 s', '0 s', '59 s', '1 min', '59 min', '1 h', '3 d']);
});

test('a count has its noun in the right number', () => {
  expect([counted(1, 'agent'), counted(1200, 'agent'), counted(2, 'reply', 'replies')]).toEqual([
    '1 agent',
    '1,200 agents',
    '2 replies',
  ]);
});

test('a short time has fractions, and a clock names the day that is not today', () => {
  expect([40, 2500, 30_000, 90_000, 5_400_000].map(shortTimeText)).toEqual([
    '40 ms',
    '2.5 s',
    '30 s',
    '2 min',
    '1.5 h',
  ]);
  const noon = new Date(2026, 4, 1, 12, 4, 11).getTime();
  expect(clockText(noon, dayText(noon))).toBe('12:04:11');
  expect(clockText(noon, dayText(noon + 86_400_000))).toMatch(/^1 May\W+12:04$/);
});
