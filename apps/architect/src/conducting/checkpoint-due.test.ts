// Between two checkpoints less than half of what the log keeps goes by, whatever its limits are and however large its
// events.
import { LIMITS, type LogInfo } from '@hypercode/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isCheckpointDue, type LogMark } from './checkpoint-due.ts';

const HOUR = 3_600_000;
const GIB = 2 ** 30;
const NOTHING: LogMark = { events: 0, bytes: 0 };

/** A log that has taken so much so far. */
function logOf(taken: LogMark, limits: Partial<LogInfo['retention']> = {}): LogInfo {
  const retention = { maxEvents: 1_000_000, maxBytes: GIB, maxAgeMs: 24 * HOUR, ...limits };
  const kept = Math.min(taken.events, retention.maxEvents);
  const keptBytes = Math.min(taken.bytes, retention.maxBytes);
  return { kept, removed: taken.events - kept, keptBytes, removedBytes: taken.bytes - keptBytes, retention };
}

const isDue = (log: LogInfo, from: LogMark, to = from): boolean => isCheckpointDue({ at: 0, from, to }, log, 0);

test('is due by age', () => {
  const written = { at: 0, from: NOTHING, to: NOTHING };
  expect(isCheckpointDue(written, logOf(NOTHING), 9 * HOUR)).toBe(false);
  expect(isCheckpointDue(written, logOf(NOTHING), 10 * HOUR)).toBe(true);
});

test('is not due for a small part of the log', () => {
  expect(isDue(logOf({ events: 300_000, bytes: GIB / 4 }), NOTHING)).toBe(false);
});

test('is due by bytes, also when large events follow many small ones', () => {
  const before = { events: 400_000, bytes: 400_000 * 200 };
  const after = (large: number): LogInfo =>
    logOf({ events: before.events + large, bytes: before.bytes + large * LIMITS.eventBytes });
  const half = GIB / 2 / LIMITS.eventBytes;
  expect(isDue(after(half / 2), before)).toBe(false);
  expect(isDue(after(half), before)).toBe(true);
});

test('a checkpoint is due before half of the retention has passed', () => {
  const limits = fc.record({
    maxEvents: fc.integer({ min: 10, max: 10_000 }),
    maxBytes: fc.integer({ min: 1e5, max: 1e8 }),
  });
  const sizes = fc.array(fc.record({ count: fc.nat(5_000), bytes: fc.nat(LIMITS.eventBytes) }), { minLength: 1 });
  fc.assert(
    fc.property(limits, sizes, fc.nat(), ({ maxEvents, maxBytes }, runs, n) => {
      const marks = [NOTHING];
      for (const { count, bytes } of runs) {
        const { events, bytes: sum } = marks.at(-1) ?? NOTHING;
        marks.push({ events: events + count, bytes: sum + count * bytes });
      }
      const from = marks[n % marks.length] ?? NOTHING;
      const taken = marks.at(-1) ?? NOTHING;
      if (taken.events - from.events >= maxEvents / 2 || taken.bytes - from.bytes >= maxBytes / 2) {
        expect(isDue(logOf(taken, { maxEvents, maxBytes }), from)).toBe(true);
      }
    }),
  );
});

test('plans that take most of the log are due again after a tenth of other events, not after their own checkpoints', () => {
  const to = { events: 20_000, bytes: 0.7 * GIB };
  expect(isDue(logOf(to), NOTHING, to)).toBe(false);
  expect(isDue(logOf({ ...to, bytes: 0.79 * GIB }), NOTHING, to)).toBe(false);
  expect(isDue(logOf({ ...to, bytes: 0.81 * GIB }), NOTHING, to)).toBe(true);
});
