// Checks that are asked for while one runs: however many, one follows.
import { HeldClock } from '@hypercode/clock/testing';
import { expect, test, vi } from 'vitest';
import { Recheck } from './recheck.ts';

/** Checks whose answers wait until the test gives them. */
function heldChecks() {
  const clock = new HeldClock();
  const checks: PromiseWithResolvers<void>[] = [];
  const errors: unknown[] = [];
  const check = () => {
    const held = Promise.withResolvers<void>();
    checks.push(held);
    return held.promise;
  };
  const recheck = new Recheck({ clock, intervalMs: 750, check, onError: (error) => errors.push(error) });
  return { clock, checks, errors, recheck };
}

test('requests during a check lead to exactly one more, which begins after it', async () => {
  const { checks, recheck } = heldChecks();
  const first = recheck.now();
  await vi.waitFor(() => expect(checks).toHaveLength(1));
  const later = Array.from({ length: 50 }, () => recheck.now());
  checks[0]?.resolve();
  await first;
  await vi.waitFor(() => expect(checks).toHaveLength(2));
  checks[1]?.resolve();
  await Promise.all(later);
  expect(checks).toHaveLength(2);
  await recheck.close();
});

test('a check runs in every interval, and not while the one before it runs', async () => {
  const { clock, checks, recheck } = heldChecks();
  clock.advance(750);
  await vi.waitFor(() => expect(checks).toHaveLength(1));
  clock.advance(10_000);
  expect(checks).toHaveLength(1);
  checks[0]?.resolve();
  await vi.waitFor(() => expect(clock.armed).toBe(1));
  clock.advance(750);
  await vi.waitFor(() => expect(checks).toHaveLength(2));
  checks[1]?.resolve();
  await recheck.close();
});

test('a check that fails is reported, and the next one runs', async () => {
  const { checks, errors, recheck } = heldChecks();
  const failing = recheck.now();
  await vi.waitFor(() => expect(checks).toHaveLength(1));
  const next = recheck.now();
  checks[0]?.reject(new Error('unavailable'));
  await failing;
  expect(errors).toEqual([new Error('unavailable')]);
  await vi.waitFor(() => expect(checks).toHaveLength(2));
  checks[1]?.resolve();
  await next;
  await recheck.close();
});

test('closing waits for the check that runs, begins no other and leaves no timer', async () => {
  const { clock, checks, recheck } = heldChecks();
  void recheck.now();
  await vi.waitFor(() => expect(checks).toHaveLength(1));
  void recheck.now();
  let isClosed = false;
  const closing = recheck.close().then(() => (isClosed = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isClosed).toBe(false);
  checks[0]?.resolve();
  await closing;
  expect(checks).toHaveLength(1);
  expect(clock.armed).toBe(0);
});
