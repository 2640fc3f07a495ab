// How long claims wait for the answers that came while the process stood still.
import { HeldClock } from '@hypercode/clock/testing';
import { expect, onTestFinished, test } from 'vitest';
import { AfterStall } from './after-stall.ts';

function guarded() {
  const clock = new HeldClock();
  const guard = new AfterStall(clock);
  onTestFinished(() => guard.close());
  return { clock, guard };
}

/** Whether it has resolved, once everything that is under way has gone on. */
async function hasResolved(promise: Promise<void> | null): Promise<boolean> {
  const pending = Symbol('pending');
  await new Promise(setImmediate);
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

test('nothing waits while the process runs, however slowly', () => {
  const { clock, guard } = guarded();
  clock.advance(10_000);
  clock.jump(900);
  expect(guard.answersTaken()).toBe(null);
});

test('after a standstill, claims wait for a turn in which no answer came, and then no longer', async () => {
  const { clock, guard } = guarded();
  clock.jump(5000);
  const taken = guard.answersTaken();
  expect(guard.answersTaken()).toBe(taken);
  await guard.during(Promise.resolve());
  clock.advance(50);
  expect(await hasResolved(taken)).toBe(false);
  clock.advance(50);
  expect(await hasResolved(taken)).toBe(true);
  expect(guard.answersTaken()).toBe(null);
});

test('an answer that the store has not taken yet is waited for', async () => {
  const { clock, guard } = guarded();
  clock.jump(5000);
  const taken = guard.answersTaken();
  const { promise, resolve } = Promise.withResolvers<void>();
  const settled = guard.during(promise);
  for (let turn = 0; turn < 10; turn += 1) {
    clock.advance(50);
    expect(await hasResolved(taken)).toBe(false);
  }
  resolve();
  await settled;
  clock.advance(50);
  expect(await hasResolved(taken)).toBe(true);
});

test('answers that never cease hold claims up for two seconds', async () => {
  const { clock, guard } = guarded();
  clock.jump(5000);
  const taken = guard.answersTaken();
  for (let turn = 0; turn < 40; turn += 1) {
    expect(await hasResolved(taken)).toBe(false);
    await guard.during(Promise.resolve());
    clock.advance(50);
  }
  expect(await hasResolved(taken)).toBe(true);
});
