import type { TokenInfo } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { filteredTokens, TokenFilterSearch } from './token-filter.ts';

const token = (name: string, fields: Partial<TokenInfo> = {}) =>
  ({ id: `0${name}`, name, kind: 'viewer', roles: null, names: null, ...fields }) as TokenInfo;

const tokens = [
  token('Wall screen'),
  token('ci', { kind: 'join', roles: ['worker'], names: ['ci-*'] }),
  token('fleet', { kind: 'join', roles: '*' }),
];

const names = (filter: object): string[] =>
  filteredTokens(tokens, TokenFilterSearch.parse(filter)).map(({ name }) => name);

test('tokens are found by kind, by words of what they are for, and by the beginning of their id', () => {
  expect(names({})).toEqual(['Wall screen', 'ci', 'fleet']);
  expect(names({ kind: 'join' })).toEqual(['ci', 'fleet']);
  expect(names({ text: 'WALL' })).toEqual(['Wall screen']);
  expect(names({ text: 'worker' })).toEqual(['ci']);
  expect(names({ text: '0fl' })).toEqual(['fleet']);
  expect(names({ text: 'ci', kind: 'viewer' })).toEqual([]);
  expect(names({ kind: 'root' })).toHaveLength(3);
});
