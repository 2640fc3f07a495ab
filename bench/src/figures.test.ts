import { expect, it } from 'vitest';
import { cellsOf, numeral, tableOf, verdictOf } from './figures.ts';

it('writes three digits that count', () => {
  expect(numeral(12_345)).toBe('12,300');
  expect(numeral(0.078_91)).toBe('0.0789');
  expect(numeral(4.564)).toBe('4.56');
  expect(numeral(Number.NaN)).toBe('-');
});

it('judges a goal by the value or the ratio', () => {
  const figure = { what: 'a', value: 30, unit: 'KiB', ratio: 2 };
  expect(verdictOf(figure)).toBe('no goal');
  expect(verdictOf({ ...figure, goal: { of: 'value', atMost: 40 } })).toBe('met');
  expect(verdictOf({ ...figure, goal: { of: 'ratio', atLeast: 3 } })).toBe('missed');
});

it('lays out a table', () => {
  const cells = cellsOf({ what: 'puts', value: 2000, unit: '/s', reference: { what: 'etcd', value: 1000 }, ratio: 2 });
  expect(tableOf([['what', 'here', 'reference', 'ratio'], cells])).toBe(
    [
      'what  here      reference       ratio',
      '----  --------  --------------  -----  ',
      'puts  2,000 /s  etcd: 1,000 /s  2 x',
    ].join('\n'),
  );
});
