// The turn of a probe beside its interval.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { probeTurn } from './probe-turn.ts';

test('the probe timeout is the configured one, where the interval leaves room for it', () => {
  expect(probeTurn({ intervalMs: 10_000, timeoutMs: 2000 })).toEqual({ timeoutMs: 2000, maxWaitMs: 6000 });
  expect(probeTurn({ intervalMs: 1000, timeoutMs: 2000 }).timeoutMs).toBe(600);
});

test('a probe turn ends within the shortest interval, and leaves time to wait and to probe', () => {
  const ms = fc.integer({ min: 1, max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(ms, ms, (intervalMs, timeoutMs) => {
      const turn = probeTurn({ intervalMs, timeoutMs });
      expect(turn.timeoutMs).toBeGreaterThan(0);
      expect(turn.maxWaitMs).toBeGreaterThan(0);
      expect(turn.timeoutMs + turn.maxWaitMs).toBeLessThan(0.9 * intervalMs);
    }),
  );
});
