// Counting in buckets, and what a report is given of it.
import { HeldClock } from '@hypercode/clock/testing';
import { expect, test } from 'vitest';
import { Statistics } from './statistics.ts';

test('a bucket is given when something was counted since it was given last, as a whole', () => {
  const clock = new HeldClock();
  const statistics = new Statistics(clock);
  expect(statistics.take()).toEqual([]);
  statistics.of('a').published += 1;
  expect(statistics.take()).toMatchObject([{ namespace: 'a', published: 1, publishP99Ms: null }]);
  expect(statistics.take()).toEqual([]);
  statistics.of('a').published += 1;
  expect(statistics.take()).toMatchObject([{ namespace: 'a', published: 2 }]);
});

test('what could not be written is given again, also when its bucket has ended', () => {
  const clock = new HeldClock();
  const statistics = new Statistics(clock);
  statistics.of('a').acked += 1;
  const [first] = statistics.take();
  clock.advance(10_000);
  statistics.of('b').acked += 1;
  statistics.failed();
  expect(statistics.take()).toMatchObject([first, { namespace: 'b', bucket: (first?.bucket ?? 0) + 10_000, acked: 1 }]);
  expect(statistics.take()).toEqual([]);
});

test('while nothing can be written, the memory is bounded and the newest buckets are kept', () => {
  const clock = new HeldClock();
  const statistics = new Statistics(clock);
  for (let bucket = 0; bucket < 30; bucket += 1) {
    for (let namespace = 0; namespace < 1000; namespace += 1) statistics.of(`n${namespace}`).published += 1;
    clock.advance(10_000);
  }
  statistics.of('last').published += 1;
  let rows = 0;
  for (let taken = statistics.take(); taken.length > 0; taken = statistics.take()) {
    expect(taken.length).toBeLessThanOrEqual(2000);
    rows += taken.length;
  }
  expect(rows).toBe(20_001);
});
