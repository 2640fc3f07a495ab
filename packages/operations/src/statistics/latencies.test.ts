// Percentiles of times in slots.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Latencies } from './latencies.ts';

test('without a time there is no percentile', () => {
  expect(new Latencies().percentile(0.99)).toBeNull();
});

test('a percentile is the time that the share did not exceed, to a fifth', () => {
  const times = fc.array(fc.double({ min: 0.0625, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(times, fc.constantFrom(0.5, 0.9, 0.99, 1), (all, share) => {
      const latencies = new Latencies();
      for (const ms of all) latencies.add(ms);
      const exact = all.toSorted((a, b) => a - b)[Math.ceil(all.length * share) - 1] ?? 0;
      const found = latencies.percentile(share) ?? 0;
      expect(found).toBeGreaterThanOrEqual(exact * (1 - 1e-9));
      expect(found).toBeLessThanOrEqual(exact * 1.2 * (1 + 1e-9));
    }),
  );
});
