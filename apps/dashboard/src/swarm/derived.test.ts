import { HeldClock } from '@hypercode/clock/testing';
import { expect, test, vi } from 'vitest';
import { Derived } from './derived.ts';
import type { SlicedWork } from './slices.ts';

/** Pauses between slices are of the event loop, and not of the clock. */
const until = (derived: Derived<number, number>, output: number): Promise<void> =>
  vi.waitFor(() => expect(derived.view.get()).toBe(output));

function doubling(clock: HeldClock) {
  const worked: number[] = [];
  const derived = new Derived<number, number>({
    initial: 0,
    *work(input): SlicedWork<number> {
      worked.push(input);
      clock.advance(10);
      yield;
      return input * 2;
    },
    isUrgent: (input) => input >= 100,
    clock,
  });
  return { derived, worked };
}

test('of many inputs the newest counts, and it works a fifth of the time', async () => {
  const clock = new HeldClock();
  const { derived, worked } = doubling(clock);
  derived.ask(1);
  await until(derived, 2);
  for (const input of [2, 3, 4]) derived.ask(input);
  clock.advance(39);
  expect(worked).toEqual([1]);
  clock.advance(1);
  await until(derived, 8);
  expect(worked).toEqual([1, 4]);
  derived.close();
});

test('what a person waits for does not wait for the rest', async () => {
  const clock = new HeldClock();
  const { derived } = doubling(clock);
  derived.ask(1);
  await until(derived, 2);
  derived.ask(100);
  await until(derived, 200);
  derived.close();
});

test('a closed one works no more, and leaves no timer', async () => {
  const clock = new HeldClock();
  const { derived, worked } = doubling(clock);
  derived.ask(1);
  await until(derived, 2);
  derived.ask(2);
  derived.close();
  clock.advance(1000);
  expect([worked, clock.armed]).toEqual([[1], 0]);
});
