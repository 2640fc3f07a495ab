// How long one try of a call that is repeated may take.
import { expect, test } from 'vitest';
import { SwarmError } from '@hypercode/contracts';
import { MAX_OUTAGE_BACKOFF_MS, retryDelay } from './backoff.ts';
import { tryLimitMs } from './connection.ts';

test('one try has 5 s, and a second for each 64 KB of its body, but not more than the call', () => {
  expect(tryLimitMs(0, 30_000)).toBe(5_000);
  expect(tryLimitMs(640_000, 30_000)).toBe(15_000);
  expect(tryLimitMs(4_000_000, 30_000)).toBe(30_000);
  expect(tryLimitMs(0, 400)).toBe(400);
});

test('a call without a limit has tries without one', () => {
  expect(tryLimitMs(0, Infinity)).toBe(Infinity);
});

test('a try and the wait before it are shorter than ten seconds while the core cannot be reached', () => {
  const waits = Array.from({ length: 20 }, (_, index) =>
    retryDelay(new SwarmError('UNAVAILABLE', 'no answer'), index + 1, 0.999),
  );
  expect(Math.max(...waits)).toBeLessThan(MAX_OUTAGE_BACKOFF_MS);
  expect(tryLimitMs(0, 30_000) + Math.max(...waits)).toBeLessThan(10_000);
});
