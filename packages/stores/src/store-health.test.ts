import { HeldClock } from '@hypercode/clock/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StoreHealth } from './store-health.ts';
import { StoreOutage } from './store-outage.ts';

let clock: HeldClock;
let lines: string[];
let calls: { reads: number; writes: number };
let fault: { read: Error | null; write: Error | null };
let health: StoreHealth;

beforeEach(() => {
  clock = new HeldClock();
  lines = [];
  calls = { reads: 0, writes: 0 };
  fault = { read: null, write: null };
  const reporter = {
    unavailable: (_store: string, { message }: Error) => void lines.push(message),
    available: () => void lines.push('back'),
  };
  health = new StoreHealth({
    outage: new StoreOutage('the store', { clock, reporter }),
    clock,
    read: async () => {
      calls.reads += 1;
      if (fault.read !== null) throw fault.read;
      return 'nearly full';
    },
    write: async () => {
      calls.writes += 1;
      if (fault.write !== null) throw fault.write;
    },
  });
});
afterEach(() => health.close());

const readOnly = new Error('read-only');

test('every question reads, and writes are at least five seconds apart', async () => {
  for (let question = 0; question < 20; question += 1) {
    expect(await health.check()).toBe('nearly full');
    await clock.advanceThrough(500);
  }
  expect(calls.writes).toBe(2);
  expect(calls.reads).toBeGreaterThanOrEqual(20);
});

test('questions that arrive together share one answer', async () => {
  await Promise.all([health.check(), health.check(), health.check()]);
  expect(calls).toEqual({ reads: 1, writes: 1 });
});

test('a store that is read and not written is unhealthy until a write succeeds', async () => {
  fault.write = readOnly;
  await expect(health.check()).rejects.toBe(readOnly);
  await clock.advanceThrough(1_000);
  await expect(health.check()).rejects.toBe(readOnly);
  expect(calls.writes).toBe(1);
  fault.write = null;
  // By itself, while nobody asks.
  await clock.advanceThrough(10_000);
  expect(await health.check()).toBe('nearly full');
  expect(lines).toEqual(['read-only', 'back']);
});

test('a call that failed makes the store unhealthy at once, and a later write mends it', async () => {
  await health.check();
  health.failed(readOnly);
  await expect(health.check()).rejects.toBe(readOnly);
  await clock.advanceThrough(5_000);
  expect(await health.check()).toBe('nearly full');
  expect(calls.writes).toBe(2);
});

test('an outage is noticed and ends while nobody asks', async () => {
  fault.read = new Error('no route to host');
  await clock.advanceThrough(60_000);
  fault.read = null;
  await clock.advanceThrough(20_000);
  expect(lines).toEqual(['no route to host', 'back']);
});

test('a store that nobody asks about is written to no further', async () => {
  await health.check();
  await clock.advanceThrough(60_000);
  expect(calls.writes).toBe(1);
  expect(calls.reads).toBeGreaterThan(10);
});

test('a closed health leaves no timer, and reports nothing', async () => {
  fault.write = readOnly;
  await expect(health.check()).rejects.toBe(readOnly);
  await health.close();
  health.failed(new Error('closed'));
  expect(clock.armed).toBe(0);
  expect(lines).toEqual(['read-only']);
});

test('a check that takes too long has failed', async () => {
  await health.close();
  const slow = new StoreHealth({
    outage: new StoreOutage('the store', { clock, reporter: { unavailable: () => {}, available: () => {} } }),
    clock,
    read: () => new Promise(() => {}),
    write: async () => {},
  });
  const answer = slow.check();
  clock.advance(1_900);
  await expect(answer).rejects.toThrow('no answer in time');
  await slow.close();
});
