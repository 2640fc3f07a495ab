import { expect, it } from 'vitest';
import { inFlight, interleave } from './rounds.ts';

it('measures the contenders in turns', async () => {
  const order: string[] = [];
  const contender = (name: string) => async (round: number) => {
    order.push(`${name}${round}`);
    return round;
  };
  expect(await interleave({ a: contender('a'), b: contender('b') }, 2)).toEqual({ a: [0, 1], b: [0, 1] });
  expect(order).toEqual(['a0', 'b0', 'a1', 'b1']);
});

it('keeps the width, and does each task once', async () => {
  const done: number[] = [];
  let running = 0;
  let most = 0;
  await inFlight(3, 10, async (index) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    done.push(index);
  });
  expect(most).toBe(3);
  expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, index) => index));
});
