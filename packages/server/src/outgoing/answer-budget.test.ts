// Which calls of a batch or a connection are worked on at a time.
import { expect, test, vi } from 'vitest';
import { AnswerBudget } from './answer-budget.ts';

test('small answers are made together, and large ones one after another, in their order', async () => {
  const budget = new AnswerBudget({ unsent: () => 0, maxBytes: 100, maxCalls: Infinity });
  expect([budget.begin(10), budget.begin(80)]).toEqual([true, true]);
  const large = budget.begin(80);
  const small = budget.begin(1);
  expect(large).toBeInstanceOf(Promise);
  // It does not overtake.
  expect(small).toBeInstanceOf(Promise);
  budget.end(80);
  expect(await Promise.all([large, small])).toEqual([true, true]);
});

test('a call waits while more is unsent than may be, and begins when it was sent', async () => {
  let unsent = 100;
  const onWaiting = vi.fn<(isWaiting: boolean) => void>();
  const budget = new AnswerBudget({ unsent: () => unsent, maxBytes: 100, maxCalls: 1, onWaiting });
  expect(budget.isSpent).toBe(true);
  const [first, second] = [budget.begin(500), budget.begin(0)];
  budget.proceed();
  unsent = 0;
  budget.proceed();
  expect(await first).toBe(true);
  expect(onWaiting.mock.calls).toEqual([[true]]);
  budget.end(500);
  expect(await second).toBe(true);
  expect(onWaiting.mock.calls).toEqual([[true], [false]]);
});

test('what waits is refused when it is abandoned', async () => {
  const budget = new AnswerBudget({ unsent: () => 100, maxBytes: 100, maxCalls: 1 });
  const waiting = budget.begin(1);
  budget.abandon();
  expect(await waiting).toBe(false);
});
