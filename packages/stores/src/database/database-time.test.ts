import { HeldClock } from '@hypercode/clock/testing';
import { beforeEach, expect, test } from 'vitest';
import { DatabaseTime } from './database-time.ts';

const TWO_HOURS_MS = 7_200_000;
let clock: HeldClock;
let time: DatabaseTime;
/** What the database's clock shows. */
let trueMs: () => number;

beforeEach(() => {
  clock = new HeldClock();
  time = new DatabaseTime(clock);
  const startMs = clock.epochMs() - TWO_HOURS_MS;
  trueMs = () => startMs + clock.monotonicMs();
});

function measure(tookMs: number, shownMs = trueMs() + tookMs / 2): void {
  const sentMs = clock.monotonicMs();
  clock.advance(tookMs);
  time.measured(shownMs, sentMs);
}

test('before the first reading it is the time of this machine', () => {
  expect(time.epochMs()).toBe(clock.epochMs());
});

test('a machine that is two hours off has the time of the database', () => {
  measure(10);
  clock.advance(60_000);
  expect(time.epochMs()).toBe(trueMs());
});

test('setting the clock of the machine changes nothing', () => {
  measure(10);
  clock.jump(-3_600_000);
  expect(time.epochMs()).toBe(trueMs());
});

test('a reading that took long does not spoil a good one', () => {
  measure(10);
  measure(4_000, trueMs());
  expect(time.epochMs()).toBe(trueMs());
});

test('a reading that contradicts the earlier one replaces it: the database has another clock now', () => {
  measure(10);
  const before = trueMs;
  trueMs = () => before() + 60_000;
  measure(100);
  expect(time.epochMs()).toBe(trueMs());
});
