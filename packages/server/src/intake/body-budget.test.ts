import { expect, test } from 'vitest';
import { BodyBudget } from './body-budget.ts';

const budgetOf = () => new BodyBudget({ totalBytes: 100, callerBytes: 40 });

test('one caller holds its share at most, and others are not refused for it', () => {
  const budget = budgetOf();
  const claim = budget.claim('a', 30);
  expect(() => budget.claim('a', 11)).toThrow(expect.objectContaining({ code: 'RATE_LIMITED', retryAfterMs: 1000 }));
  budget.claim('a', 10);
  budget.claim('b', 40);
  claim.release();
  budget.claim('a', 30);
  expect(budget.heldBytes).toBe(80);
});

test('all callers together hold the whole at most', () => {
  const budget = budgetOf();
  for (const caller of ['a', 'b']) budget.claim(caller, 40);
  expect(() => budget.claim('c', 21)).toThrow(expect.objectContaining({ code: 'RATE_LIMITED', retryAfterMs: 1000 }));
  budget.claim('c', 20);
});

test('a body of unknown length claims as it comes, and gives everything back once', () => {
  const budget = budgetOf();
  const claim = budget.claim('a', 0);
  claim.grow(25);
  claim.grow(15);
  expect(() => claim.grow(1)).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }));
  expect(budget.heldBytes).toBe(40);
  claim.release();
  claim.release();
  expect(budget.heldBytes).toBe(0);
  budget.claim('a', 40);
});
