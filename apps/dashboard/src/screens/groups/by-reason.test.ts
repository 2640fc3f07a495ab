import type { DeadLetter } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { byReason } from './by-reason.ts';

const letter = (deliveryId: string, reason: string | null) => ({ deliveryId, reason }) as DeadLetter;

test('dead letters are put together by their reason, the commonest first', () => {
  const letters = [
    letter('1', 'no key'),
    letter('2', null),
    letter('3', 'timeout'),
    letter('4', null),
    letter('5', 'timeout'),
  ];
  const found = byReason(letters).map(({ reason, letters: of }) => [reason, of.map(({ deliveryId }) => deliveryId)]);
  expect(found).toEqual([
    [null, ['2', '4']],
    ['timeout', ['3', '5']],
    ['no key', ['1']],
  ]);
});

test('no dead letter, no reason', () => {
  expect(byReason([])).toEqual([]);
});
