// Between two checkpoints less than half of what the log keeps goes by, whatever its limits are.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isCheckpointDue } from './checkpoint-due.ts';

const HOUR = 3_600_000;
const retention = { maxEvents: 1_000_000, maxBytes: 2 ** 30, maxAgeMs: 24 * HOUR };

test('is due by age', () => {
  const log = { kept: 10, removed: 0, retention };
  expect(isCheckpointDue({ at: 0, afterEvents: 10 }, log, 9 * HOUR)).toBe(false);
  expect(isCheckpointDue({ at: 0, afterEvents: 10 }, log, 10 * HOUR)).toBe(true);
});

test('is not due for a few events', () => {
  const log = { kept: 900, removed: 0, retention };
  expect(isCheckpointDue({ at: 0, afterEvents: 0 }, log, 0)).toBe(false);
});

test('is due before half of what the log keeps has gone by', () => {
  const logs = fc.record({ maxEvents: fc.integer({ min: 10, max: 10_000 }), appended: fc.nat(100_000) });
  fc.assert(
    fc.property(logs, fc.nat(), ({ maxEvents, appended }, n) => {
      const kept = Math.min(maxEvents, appended);
      const log = { kept, removed: appended - kept, retention: { ...retention, maxEvents } };
      const afterEvents = n % (appended + 1);
      if (appended - afterEvents >= maxEvents / 2) {
        expect(isCheckpointDue({ at: 0, afterEvents }, log, 0)).toBe(true);
      }
    }),
  );
});
