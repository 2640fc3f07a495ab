import { expect, test } from 'vitest';
import { coalesce } from './loader.ts';

test('lookups during a load are answered together by the next load, so each by a load that began after it', async () => {
  const loads: string[][] = [];
  const gates: (() => void)[] = [];
  const lookUp = coalesce(async (keys: string[]) => {
    loads.push(keys);
    const answer = new Map(keys.filter((key) => key !== 'unknown').map((key) => [key, `${key}@${loads.length}`]));
    await new Promise<void>((resolve) => gates.push(resolve));
    return answer;
  });
  const first = Promise.all([lookUp('a'), lookUp('b'), lookUp('a')]);
  await expect.poll(() => loads.length).toBe(1);
  const second = Promise.all([lookUp('a'), lookUp('unknown')]);
  gates.shift()?.();
  expect(await first).toEqual(['a@1', 'b@1', 'a@1']);
  await expect.poll(() => loads.length).toBe(2);
  gates.shift()?.();
  expect(await second).toEqual(['a@2', undefined]);
  expect(loads).toEqual([
    ['a', 'b'],
    ['a', 'unknown'],
  ]);
});

test('a failed load fails its own lookups and no others', async () => {
  let loads = 0;
  const lookUp = coalesce(async (keys: string[]) => {
    loads += 1;
    if (loads === 1) throw new Error('unavailable');
    return new Map(keys.map((key) => [key, key]));
  });
  await expect(Promise.all([lookUp('a'), lookUp('b')])).rejects.toThrow('unavailable');
  expect(await lookUp('a')).toBe('a');
});
