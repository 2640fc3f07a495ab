// Chunks that are read when a watcher takes them: shared at about the same pace, and read again with the same names otherwise.
import { expect, test } from 'vitest';
import { LateChunks } from './late-chunks.ts';
import type { SnapshotItem } from './project.ts';

const NAMES = Array.from({ length: 100 }, (_, index) => `agent-${index}`);

/** Of chunks of two agents each; items are the lists of their names. */
function chunksOfTwo() {
  const reads: string[] = [];
  let failure: Error | null = null;
  const late = new LateChunks(NAMES, (names, maxBytes) => {
    if (failure !== null) return Promise.reject(failure);
    const taken = maxBytes === Number.MAX_SAFE_INTEGER ? names : names.slice(0, 2);
    reads.push(taken.join(' '));
    return Promise.resolve({ item: taken as unknown as SnapshotItem, count: taken.length });
  });
  const all = async (): Promise<unknown[]> => {
    const taken: unknown[] = [];
    for (let place = 0; ; place += 1) {
      const chunk = await late.chunk(place);
      if (chunk === null) return taken;
      taken.push(chunk);
    }
  };
  return { late, all, reads, fail: (error: Error | null) => (failure = error) };
}

test('watchers at the same pace share every chunk, and together the chunks have every name once', async () => {
  const { all, reads } = chunksOfTwo();
  const [first, second] = await Promise.all([all(), all()]);
  expect(first.flat()).toEqual(NAMES);
  expect(second).toEqual(first);
  expect(reads).toHaveLength(50);
});

test('a watcher that comes later gets the same chunks, of which only the last few were kept', async () => {
  const { all, reads } = chunksOfTwo();
  const first = await all();
  expect(await all()).toEqual(first);
  expect(reads).toHaveLength(100);
  expect(reads.slice(50)).toEqual(reads.slice(0, 50));
});

test('a chunk that could not be read is read again', async () => {
  const { late, fail } = chunksOfTwo();
  fail(new Error('no answer'));
  await expect(late.chunk(0)).rejects.toThrow('no answer');
  fail(null);
  expect(await late.chunk(0)).toEqual(NAMES.slice(0, 2));
});
