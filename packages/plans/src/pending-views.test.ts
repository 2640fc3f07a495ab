// Which plans a watcher is sent, and when.
import { expect, test } from 'vitest';
import { PendingViews } from './pending-views.ts';

test('a plan that changes all the time is sent at once, and then at most twice a second', () => {
  const pending = new PendingViews();
  const sent: number[] = [];
  for (let now = 0; now < 2_000; now += 10) {
    pending.add('a', now);
    if (pending.take(now) !== null) sent.push(now);
  }
  expect(sent).toEqual([0, 500, 1_000, 1_500]);
});

test('a change is never lost: a plan that changed after it was sent is due after the pause', () => {
  const pending = new PendingViews();
  pending.add('a', 0);
  expect(pending.take(0)).toBe('a');
  expect(pending.nextAt).toBe(Infinity);
  pending.add('a', 1);
  expect([pending.take(1), pending.nextAt, pending.take(500), pending.nextAt]).toEqual([null, 500, 'a', Infinity]);
});

test('a plan that waits for its pause delays no other', () => {
  const pending = new PendingViews();
  pending.add('a', 0);
  pending.take(0);
  pending.add('a', 1);
  pending.add('b', 2);
  expect([pending.take(2), pending.take(2)]).toEqual(['b', null]);
});
