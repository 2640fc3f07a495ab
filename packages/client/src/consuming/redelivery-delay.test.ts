// The delays of redeliveries, as numbers.
import { expect, test } from 'vitest';
import { growingDelay } from './redelivery-delay.ts';

const ATTEMPTS = [1, 2, 3, 4, 5, 6, 7, 8, 1_000];

test('the delay doubles with each attempt up to its maximum', () => {
  expect(ATTEMPTS.map((attempt) => growingDelay(attempt, 0) * 2)).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000,
  ]);
  expect(ATTEMPTS.map((attempt) => growingDelay(attempt, 0, { firstMs: 10, maxMs: 100 }) * 2)).toEqual([
    10, 20, 40, 80, 100, 100, 100, 100, 100,
  ]);
});

test('jitter takes off less than half of the delay, in few steps', () => {
  const delays = Array.from({ length: 100 }, (_, index) => growingDelay(3, index / 100));
  expect(new Set(delays).size).toBe(8);
  expect(Math.min(...delays)).toBe(2_000);
  expect(Math.max(...delays)).toBeLessThan(4_000);
});

test('with the defaults, the attempts of an event outlast a fault of several seconds', () => {
  const shortest = [1, 2, 3, 4].map((attempt) => growingDelay(attempt, 0));
  expect(shortest.reduce((sum, delay) => sum + delay, 0)).toBeGreaterThan(5_000);
});
