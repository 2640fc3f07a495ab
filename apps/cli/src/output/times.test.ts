// Times and durations are read and shown in one way.
import { expect, test } from 'vitest';
import { parseDuration, parseSince, showAgo, showDuration, showTime } from './times.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');

test('durations are read in all units', () => {
  expect(['500ms', '30s', '10m', '1h30m', '2d', '1w'].map(parseDuration)).toEqual([
    500, 30_000, 600_000, 5_400_000, 172_800_000, 604_800_000,
  ]);
  expect(['', '10', 'm', '10 m', '-1s', '1y'].map(parseDuration)).toEqual(Array(6).fill(undefined));
});

test('durations are shown in their two largest units', () => {
  expect([0, 120, 45_000, 3_900_000, 90_061_000].map(showDuration)).toEqual(['0ms', '120ms', '45s', '1h 5m', '1d 1h']);
});

test('moments are shown by their distance', () => {
  expect(showAgo('2026-03-01T11:55:00.000Z', NOW)).toBe('5m ago');
  expect(showAgo('2026-03-01T13:00:00.000Z', NOW)).toBe('in 1h');
  expect(showAgo(null, NOW)).toBe('-');
  expect(showTime('2026-03-01T11:55:00.123Z')).toBe('2026-03-01 11:55:00Z');
});

test('a beginning is a time, or a duration ago', () => {
  expect(parseSince('10m', NOW)).toBe('2026-03-01T11:50:00.000Z');
  expect(parseSince('2026-03-01T10:00:00Z', NOW)).toBe('2026-03-01T10:00:00.000Z');
  expect(parseSince('yesterday', NOW)).toBeUndefined();
});
