// When an agent counts as busy, on a clock that the test moves.
import { HeldClock } from '@hypercode/clock/testing';
import { beforeEach, expect, test } from 'vitest';
import { ConsumerLoad } from './consumer-load.ts';

let clock: HeldClock;
let reported: (string | undefined)[];
let closing: AbortController;
let load: ConsumerLoad;

/** A consumer of which `set` says how many handlers run. */
function consumerOf(maxInFlight: number) {
  const consumer = { running: 0, maxInFlight };
  load.add(consumer);
  const set = (running: number): void => {
    consumer.running = running;
    load.weigh();
  };
  return { consumer, set };
}

beforeEach(() => {
  clock = new HeldClock();
  reported = [];
  closing = new AbortController();
  load = new ConsumerLoad({ clock, closed: closing.signal, onChange: () => void reported.push(load.activity) });
});

test('an agent without consumers has no activity to report', () => {
  expect(load.activity).toBeUndefined();
  consumerOf(2);
  expect(load.activity).toBe('ready');
});

test('busy when all of the handlers of all of the consumers run, ready when some have not for a while', () => {
  const [one, two] = [consumerOf(2), consumerOf(1)];
  one.set(2);
  clock.advance(5_000);
  expect(load.activity).toBe('ready');
  two.set(1);
  clock.advance(250);
  expect(load.activity).toBe('busy');
  one.set(1);
  clock.advance(999);
  expect(load.activity).toBe('busy');
  clock.advance(1);
  expect(load.activity).toBe('ready');
  expect(reported).toEqual(['busy', 'ready']);
});

test('short peaks of load are not reported', () => {
  const { set } = consumerOf(1);
  for (let event = 0; event < 100; event += 1) {
    set(1);
    clock.advance(20);
    set(0);
    clock.advance(480);
  }
  expect(reported).toEqual([]);
});

test('neither are the moments between the events of a backlog', () => {
  const { set } = consumerOf(2);
  set(2);
  for (let event = 0; event < 1_000; event += 1) {
    clock.advance(17);
    set(1);
    clock.advance(1);
    set(2);
  }
  expect(reported).toEqual(['busy']);
  expect(clock.armed).toBeLessThanOrEqual(1);
  set(0);
  clock.advance(1_100);
  expect(reported).toEqual(['busy', 'ready']);
  expect(clock.armed).toBe(0);
});

test('a consumer that has stopped counts no longer', () => {
  const [one, two] = [consumerOf(1), consumerOf(1)];
  one.set(1);
  load.remove(two.consumer);
  clock.advance(250);
  expect(load.activity).toBe('busy');
  load.remove(one.consumer);
  clock.advance(1_000);
  expect(load.activity).toBe('ready');
});

test('no timer is left after the end', () => {
  const { set } = consumerOf(1);
  set(1);
  closing.abort();
  expect(clock.armed).toBe(0);
  set(0);
  set(1);
  expect(clock.armed).toBe(0);
});
