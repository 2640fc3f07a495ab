import { describe, expect, it } from 'vitest';
import { median, medianRatio, percentile } from './percentiles.ts';

describe('percentile', () => {
  it('is the value at the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(values, 50)).toBe(50);
    expect(percentile(values, 99)).toBe(99);
    expect(percentile(values, 100)).toBe(100);
    expect(percentile([7], 1)).toBe(7);
  });

  it('refuses an empty list', () => {
    expect(() => percentile([], 50)).toThrow('empty');
    expect(() => median([])).toThrow('empty');
  });
});

describe('median', () => {
  it('is the middle, or the mean of the two middles', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
});

describe('medianRatio', () => {
  it('compares round by round', () => {
    // In the second round the machine was ten times slower.
    expect(medianRatio([100, 10, 120], [50, 5, 60])).toBe(2);
  });

  it('refuses sides of different length', () => {
    expect(() => medianRatio([1, 2], [1])).toThrow('as many rounds');
  });
});
