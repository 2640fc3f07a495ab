// When an agent counts as busy, on a clock that the test moves.
import { beforeEach, expect, test } from 'vitest';
import type { Clock } from './clock.ts';
import { ConsumerLoad } from './consumer-load.ts';

let now: number;
let timers: Set<{ at: number; run: () => void }>;
let told: (string | undefined)[];
let closing: AbortController;
let load: ConsumerLoad;

const clock: Clock = {
  now: () => now,
  random: () => 0,
  schedule(delayMs, run) {
    const timer = { at: now + delayMs, run };
    timers.add(timer);
    return () => void timers.delete(timer);
  },
};

function pass(ms: number): void {
  const end = now + ms;
  for (;;) {
    const [next] = [...timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
    if (next === undefined) break;
    timers.delete(next);
    now = next.at;
    next.run();
  }
  now = end;
}

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
  now = 0;
  timers = new Set();
  told = [];
  closing = new AbortController();
  load = new ConsumerLoad({ clock, closed: closing.signal, onChange: () => void told.push(load.activity) });
});

test('there is nothing to say without consumers', () => {
  expect(load.activity).toBeUndefined();
  consumerOf(2);
  expect(load.activity).toBe('ready');
});

test('busy when all of the handlers of all of the consumers run, ready when some have not for a while', () => {
  const [one, two] = [consumerOf(2), consumerOf(1)];
  one.set(2);
  pass(5_000);
  expect(load.activity).toBe('ready');
  two.set(1);
  pass(250);
  expect(load.activity).toBe('busy');
  one.set(1);
  pass(999);
  expect(load.activity).toBe('busy');
  pass(1);
  expect(load.activity).toBe('ready');
  expect(told).toEqual(['busy', 'ready']);
});

test('short peaks are not told', () => {
  const { set } = consumerOf(1);
  for (let event = 0; event < 100; event += 1) {
    set(1);
    pass(20);
    set(0);
    pass(480);
  }
  expect(told).toEqual([]);
});

test('neither are the moments between the events of a backlog', () => {
  const { set } = consumerOf(2);
  set(2);
  for (let event = 0; event < 1_000; event += 1) {
    pass(17);
    set(1);
    pass(1);
    set(2);
  }
  expect(told).toEqual(['busy']);
  expect(timers.size).toBeLessThanOrEqual(1);
  set(0);
  pass(1_100);
  expect(told).toEqual(['busy', 'ready']);
  expect(timers.size).toBe(0);
});

test('a consumer that has stopped counts no longer', () => {
  const [one, two] = [consumerOf(1), consumerOf(1)];
  one.set(1);
  load.remove(two.consumer);
  pass(250);
  expect(load.activity).toBe('busy');
  load.remove(one.consumer);
  pass(1_000);
  expect(load.activity).toBe('ready');
});

test('nothing is looked at after the end', () => {
  const { set } = consumerOf(1);
  set(1);
  closing.abort();
  expect(timers.size).toBe(0);
  set(0);
  set(1);
  expect(timers.size).toBe(0);
});
