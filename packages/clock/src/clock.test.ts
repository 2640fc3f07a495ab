// What waits by a clock: for as long as it says, and not after it was ended.
import { expect, test, vi } from 'vitest';
import { HeldClock } from '../testing/held-clock.ts';
import { repeat } from './repeat.ts';
import { sleep } from './sleep.ts';
import { within } from './within.ts';

const settled = async (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([promise.then(() => true), new Promise<false>((resolve) => setImmediate(() => resolve(false)))]);

test('a sleep ends when its time has come', async () => {
  const clock = new HeldClock();
  const asleep = sleep(clock, 100);
  clock.advance(99);
  expect(await settled(asleep)).toBe(false);
  clock.advance(1);
  expect(await settled(asleep)).toBe(true);
});

test('a sleep ends when its signal is aborted, and leaves no timer', async () => {
  const clock = new HeldClock();
  const controller = new AbortController();
  const asleep = sleep(clock, 100, controller.signal);
  controller.abort();
  await asleep;
  expect(clock.armed).toBe(0);
  await sleep(clock, 100, controller.signal);
  expect(clock.armed).toBe(0);
});

test('repeated work pauses between two runs, and never after it was ended', async () => {
  const clock = new HeldClock();
  const work = vi.fn();
  const end = repeat(clock, 10, work);
  await clock.advanceThrough(25);
  expect(work).toHaveBeenCalledTimes(2);
  end();
  await clock.advanceThrough(100);
  expect(work).toHaveBeenCalledTimes(2);
  expect(clock.armed).toBe(0);
});

test('work that ends its own repetition runs no more', async () => {
  const clock = new HeldClock();
  const work = vi.fn(() => end());
  const end = repeat(clock, 10, work);
  await clock.advanceThrough(100);
  expect(work).toHaveBeenCalledTimes(1);
});

test('an answer in time is given, and its timer cancelled', async () => {
  const clock = new HeldClock();
  const timeout = () => new Error('too late');
  await expect(within(clock, 10, { work: Promise.resolve(7), timeout })).resolves.toBe(7);
  await expect(within(clock, 10, { work: Promise.reject(new Error('no')), timeout })).rejects.toThrow('no');
  expect(clock.armed).toBe(0);
});

test('an answer that does not come in time is an error, and its late rejection is ignored', async () => {
  const clock = new HeldClock();
  const { promise, reject } = Promise.withResolvers<never>();
  const answer = within(clock, 10, { work: promise, timeout: () => new Error('too late') });
  clock.advance(10);
  await expect(answer).rejects.toThrow('too late');
  reject(new Error('later still'));
  expect(await settled(promise.catch(() => {}))).toBe(true);
});

test('a stopped process runs what fell due when it goes on', async () => {
  const clock = new HeldClock();
  const work = vi.fn();
  clock.schedule(10, work);
  clock.stopped = true;
  await clock.advanceThrough(50);
  expect(work).not.toHaveBeenCalled();
  clock.stopped = false;
  await clock.advanceThrough(0);
  expect(work).toHaveBeenCalledTimes(1);
  expect(clock.monotonicMs()).toBe(50);
});

test("setting the system's time moves the epoch alone", () => {
  const clock = new HeldClock();
  const [epochMs, monotonicMs] = [clock.epochMs(), clock.monotonicMs()];
  clock.jump(-3_600_000);
  expect([clock.epochMs() - epochMs, clock.monotonicMs() - monotonicMs]).toEqual([-3_600_000, 0]);
});
