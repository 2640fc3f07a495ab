import { describe, expect, test } from 'vitest';
import { restMs, stepsFor, type TableState } from './table-steps.ts';

const MB = 1024 * 1024;
const table = (changes: Partial<TableState> = {}): TableState => ({
  name: 'events',
  isToast: false,
  bytes: 8 * MB,
  liveRows: 10_000,
  deadRows: 0,
  insertedRows: 0,
  changedRows: 0,
  wasVacuumed: true,
  wasAnalyzed: true,
  age: 1_000,
  ...changes,
});
const vacuum = { kind: 'vacuum', table: 'events' };
const analyze = { kind: 'analyze', table: 'events' };

describe('the steps that a table needs', () => {
  test.each([
    ['none when nothing has changed', {}, []],
    ['none for a small table of which nothing is known', { bytes: MB / 2, wasVacuumed: false, wasAnalyzed: false }, []],
    ['both for a large table of which nothing is known', { wasVacuumed: false, wasAnalyzed: false }, [vacuum, analyze]],
    ['a vacuum for many dead rows', { deadRows: 2_000 }, [vacuum]],
    ['none for few dead rows', { deadRows: 1_999, bytes: MB }, []],
    ['a vacuum for few dead rows that are large', { deadRows: 500, liveRows: 500 }, [vacuum]],
    ['a vacuum for many inserted rows', { insertedRows: 20_000 }, [vacuum]],
    ['a vacuum for rows that are too old', { age: 200_000_000 }, [vacuum]],
    ['an analyze when a fifth has changed', { changedRows: 2_000 }, [analyze]],
    ['no analyze when less has changed', { changedRows: 1_999 }, []],
    ['no analyze for a few rows', { changedRows: 499, liveRows: 10 }, []],
    ['no analyze of a TOAST table', { isToast: true, changedRows: 9_999, wasAnalyzed: false }, []],
    ['nothing for an empty table', { liveRows: 0, bytes: 0, wasVacuumed: false, wasAnalyzed: false }, []],
  ] as const)('%s', (_, changes, steps) => {
    expect(stepsFor([table(changes)])).toEqual(steps);
  });

  test('begin with the vacuum that frees most, and end with statistics', () => {
    const small = table({ name: 'small', deadRows: 3_000, bytes: MB, changedRows: 5_000 });
    const large = table({ name: 'large', deadRows: 2_000, bytes: 90 * MB });
    expect(stepsFor([small, large])).toEqual([
      { kind: 'vacuum', table: 'large' },
      { kind: 'vacuum', table: 'small' },
      { kind: 'analyze', table: 'small' },
    ]);
  });
});

test('a step rests four times as long as it took, and an analyze a minute at least', () => {
  expect(restMs({ kind: 'vacuum', table: 'events' }, 50)).toBe(200);
  expect(restMs({ kind: 'analyze', table: 'events' }, 50)).toBe(60_000);
});
