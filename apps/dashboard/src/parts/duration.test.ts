import { expect, test } from 'vitest';
import { counted, durationText } from './duration.ts';

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
