// At most so many turns at once, in order, and no turn is lost.
import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

const never = new AbortController().signal;

test('at most so many callers have a turn at once, and the others wait in order', async () => {
  const turns = new Turns(2);
  const entered: number[] = [];
  const all = [0, 1, 2, 3].map((i) => turns.take(never).then(() => entered.push(i)));
  await Promise.all(all.slice(0, 2));
  expect(entered).toEqual([0, 1]);
  turns.give();
  await all[2];
  expect(entered).toEqual([0, 1, 2]);
  turns.give();
  await all[3];
  turns.give();
  expect(turns.idle).toBe(false);
  turns.give();
  expect(turns.idle).toBe(true);
});

test('a caller that stops waiting takes no turn', async () => {
  const turns = new Turns(1);
  await turns.take(never);
  const ending = new AbortController();
  const first = turns.take(ending.signal);
  const second = turns.take(never);
  ending.abort(new Error('enough'));
  await expect(first).rejects.toThrow('enough');
  await expect(turns.take(ending.signal)).rejects.toThrow('enough');
  turns.give();
  await second;
  turns.give();
  expect(turns.idle).toBe(true);
});
