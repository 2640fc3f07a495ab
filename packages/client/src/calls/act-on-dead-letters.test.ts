import type { DeadLetter, DeadLettersResult } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { actOnDeadLetters, type DeadLettersWork } from './act-on-dead-letters.ts';

/** A list of dead letters that is read in pages of two. Nothing of a core but its pages is needed here. */
function listOf(reasons: readonly string[]) {
  const left = reasons.map((reason, index) => ({ deliveryId: `d${index}`, reason }));
  const calls: string[][] = [];
  const take = ({ deliveryIds = [] }: { deliveryIds?: string[] }) => {
    calls.push(deliveryIds);
    const before = left.length;
    for (const id of deliveryIds) {
      const at = left.findIndex(({ deliveryId }) => deliveryId === id);
      if (at >= 0) left.splice(at, 1);
    }
    return Promise.resolve({ count: before - left.length });
  };
  const deadLetters = ({ cursor = '' }: { cursor?: string | undefined }): Promise<DeadLettersResult> => {
    const after = left.filter(({ deliveryId }) => deliveryId > cursor);
    const page = after.slice(0, 2);
    const nextCursor = after.length > 2 ? (page.at(-1)?.deliveryId ?? null) : null;
    return Promise.resolve({ deadLetters: page as DeadLetter[], nextCursor });
  };
  const client = { bus: { deadLetters, redrive: take, discard: take } } as unknown as DeadLettersWork['client'];
  return { client, left, calls };
}

test('all are taken, a page at a time, and each page is reported', async () => {
  const { client, left, calls } = listOf(['a', 'b', 'a', 'b', 'a']);
  const progress: number[] = [];
  const work = { client, group: 'g', act: 'redrive', onProgress: (done: number) => progress.push(done) } as const;
  expect(await actOnDeadLetters(work)).toBe(5);
  expect(calls).toEqual([['d0', 'd1'], ['d2', 'd3'], ['d4']]);
  expect(progress).toEqual([2, 4, 5]);
  expect(left).toEqual([]);
});

test('those of one reason are found on all pages, and the others stay', async () => {
  const { client, left } = listOf(['a', 'b', 'b', 'b', 'a']);
  const work = { client, group: 'g', act: 'discard', isWanted: ({ reason }: DeadLetter) => reason === 'a' } as const;
  expect(await actOnDeadLetters(work)).toBe(2);
  expect(left.map(({ reason }) => reason)).toEqual(['b', 'b', 'b']);
});

test('a stop lets the page under way finish, and takes no other', async () => {
  const { client, left } = listOf(['a', 'a', 'a', 'a', 'a']);
  const stop = new AbortController();
  const work = { client, group: 'g', act: 'redrive', onProgress: () => stop.abort(), signal: stop.signal } as const;
  expect(await actOnDeadLetters(work)).toBe(2);
  expect(left).toHaveLength(3);
});
