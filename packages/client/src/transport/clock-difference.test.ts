import { expect, test } from 'vitest';
import { clockDifference } from './clock-difference.ts';

const CORE_MS = Date.UTC(2026, 0, 1, 12);
const DATE = new Date(CORE_MS).toUTCString();
const at = (sentMs: number, tookMs = 100) => ({ sentMs: CORE_MS + sentMs, receivedMs: CORE_MS + sentMs + tookMs });

test.each([
  ['a minute ahead', at(60_000), 59_550],
  ['a minute behind', at(-60_000), -60_450],
  ['two hours behind', at(-7_200_000), -7_200_450],
])('a clock that is %s is measured', (_, times, differenceMs) => {
  expect(clockDifference(DATE, times)).toBe(differenceMs);
});

test.each([
  ['the same', at(300)],
  ['five seconds ahead, within the resolution', at(5_900)],
  ['five seconds behind', at(-5_000)],
])('a clock that is %s is not reported', (_, times) => {
  expect(clockDifference(DATE, times)).toBeNull();
});

test('an answer that took long proves no difference, whichever way it was slow', () => {
  expect(clockDifference(DATE, at(-30_000, 30_500))).toBeNull();
});

test('an answer without a readable date proves nothing', () => {
  expect(clockDifference(null, at(60_000))).toBeNull();
  expect(clockDifference('yesterday', at(60_000))).toBeNull();
});
