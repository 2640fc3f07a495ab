import { expect, test } from 'vitest';
import { atOnce, inSlices, type SlicedWork, sortedInSlices } from './slices.ts';

function* spin(steps: number, stepMs: number): SlicedWork<number> {
  for (let step = 0; step < steps; step += 1) {
    const end = performance.now() + stepMs;
    while (performance.now() < end);
    yield;
  }
  return steps;
}

test('long work pauses, so that other work comes in between, and ends with its result', async () => {
  let others = 0;
  const timer = setInterval(() => (others += 1), 1);
  expect(await inSlices(spin(40, 2))).toBe(40);
  clearInterval(timer);
  expect(others).toBeGreaterThan(3);
});

test('work that is given up ends at its next pause', async () => {
  const controller = new AbortController();
  const running = inSlices(spin(1_000_000, 2), { signal: controller.signal });
  controller.abort();
  expect(await running).toBeUndefined();
});

test('sorting in slices gives what sorting at once does, and keeps what is equal in order', () => {
  const items = Array.from({ length: 5000 }, (_, index) => ({ index, key: (index * 7919) % 101 }));
  const order = (a: { key: number }, b: { key: number }): number => a.key - b.key;
  expect(atOnce(sortedInSlices(items, order))).toEqual(items.toSorted(order));
  expect(atOnce(sortedInSlices([], order))).toEqual([]);
});
