// Reads that callers share, and never one that began too early.
import { expect, test, vi } from 'vitest';
import { SharedReads } from './shared-reads.ts';

test('callers at the same time share a read, and a later caller is not given an answer from before its call', async () => {
  const reads = new SharedReads<string>();
  const answers: PromiseWithResolvers<string>[] = [];
  const begin = vi.fn(() => {
    const answer = Promise.withResolvers<string>();
    answers.push(answer);
    return answer.promise;
  });
  const early = [reads.read('a', begin), reads.read('a', begin)];
  await vi.waitFor(() => expect(answers).toHaveLength(1));
  const late = [reads.read('a', begin), reads.read('a', begin)];
  const other = reads.read('b', begin);
  await vi.waitFor(() => expect(answers).toHaveLength(2));
  answers[1]?.resolve('of b');
  expect(await other).toBe('of b');
  answers[0]?.resolve('early');
  expect(await Promise.all(early)).toEqual(['early', 'early']);
  await vi.waitFor(() => expect(answers).toHaveLength(3));
  answers[2]?.resolve('late');
  expect(await Promise.all(late)).toEqual(['late', 'late']);
  const again = reads.read('a', begin);
  await vi.waitFor(() => expect(answers).toHaveLength(4));
  answers[3]?.resolve('again');
  expect(await again).toBe('again');
});

test('a read that fails is tried again by the next caller', async () => {
  const reads = new SharedReads<string>();
  await expect(reads.read('a', () => Promise.reject(new Error('unavailable')))).rejects.toThrow('unavailable');
  expect(await reads.read('a', async () => 'there')).toBe('there');
});
