import { HeldClock } from '@hypercode/clock/testing';
import { beforeEach, expect, test } from 'vitest';
import { StoreOutage } from './store-outage.ts';

let clock: HeldClock;
let lines: string[];
let outage: StoreOutage;

beforeEach(() => {
  clock = new HeldClock();
  lines = [];
  outage = new StoreOutage('Redis', {
    clock,
    reporter: {
      unavailable: (store, { message }) => void lines.push(`${store} is unavailable: ${message}`),
      available: (store, ms) => void lines.push(`${store} is back after ${ms} ms`),
    },
  });
});

test('an outage is one line with its reason, and one when it has ended, however many calls fail', () => {
  for (let call = 0; call < 100; call += 1) {
    outage.failed(new Error('ECONNREFUSED'));
    clock.advance(1_000);
  }
  expect(outage.isUnavailable).toBe(true);
  outage.recovered();
  clock.advance(10_000);
  outage.recovered();
  expect(lines).toEqual(['Redis is unavailable: ECONNREFUSED', 'Redis is back after 100000 ms']);
  expect(outage.isUnavailable).toBe(false);
  expect(clock.armed).toBe(0);
});

test('another reason of the same outage is reported once, and not at once', () => {
  outage.failed(new Error('ECONNREFUSED'));
  outage.failed(new Error('WRONGPASS'));
  expect(lines).toHaveLength(1);
  clock.advance(10_000);
  for (const reason of ['WRONGPASS', 'ECONNREFUSED', 'WRONGPASS']) outage.failed(new Error(reason));
  expect(lines).toEqual(['Redis is unavailable: ECONNREFUSED', 'Redis is unavailable: WRONGPASS']);
});

test('a store that comes and goes every second is reported ever more seldom', () => {
  for (let second = 0; second < 300; second += 1) {
    outage.failed(new Error('NOPERM'));
    clock.advance(300);
    outage.recovered();
    clock.advance(2_700);
  }
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.length).toBeLessThan(10);
});

test('a closed outage reports nothing and leaves no timer', () => {
  outage.failed(new Error('ECONNREFUSED'));
  outage.recovered();
  outage.close();
  expect(clock.armed).toBe(0);
  clock.advance(60_000);
  expect(lines).toHaveLength(1);
});
