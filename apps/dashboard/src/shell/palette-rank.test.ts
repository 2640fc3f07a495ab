import { expect, test } from 'vitest';
import { ranked } from './palette-rank.ts';

const entries = ['recorder', 'order-1', 'big order', 'ada'].map((name) => ({
  name,
  note: name === 'ada' ? 'order' : '',
}));
const names = (typed: string, most = 9): string[] => ranked(entries, typed, most).map(({ name }) => name);

test('what begins with the words is first, then a word that does, then the rest', () => {
  expect(names('order')).toEqual(['order-1', 'big order', 'recorder', 'ada']);
  expect(names('ORDER', 2)).toEqual(['order-1', 'big order']);
});

test('every word must be there, in any order', () => {
  expect(names('order big')).toEqual(['big order']);
  expect(names('order none')).toEqual([]);
});

test('without a word the first entries are listed', () => {
  expect(names('  ', 2)).toEqual(['recorder', 'order-1']);
});
