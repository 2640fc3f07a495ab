// When the registry is asked whose name a group has, and what goes on while it does not answer.
import { HeldClock } from '@hypercode/clock/testing';
import { expect, test } from 'vitest';
import { GroupOwners } from './group-owners.ts';

function owners() {
  const clock = new HeldClock();
  const asked: { readonly name: string; readonly answer: PromiseWithResolvers<boolean> }[] = [];
  const known = new GroupOwners({
    clock,
    isAgent: (_namespace, name) => {
      const answer = Promise.withResolvers<boolean>();
      asked.push({ name, answer });
      return answer.promise;
    },
  });
  return { clock, asked, isAgent: (group: string) => known.isAgent('n', group) };
}

test('calls at the same time share a question, and its answer is given again for two seconds', async () => {
  const { clock, asked, isAgent } = owners();
  const first = [isAgent('a'), isAgent('a')];
  expect(asked).toHaveLength(1);
  asked[0]?.answer.resolve(true);
  expect(await Promise.all(first)).toEqual([true, true]);
  clock.advance(1999);
  expect(await isAgent('a')).toBe(true);
  expect(asked).toHaveLength(1);
  clock.advance(1);
  const again = isAgent('a');
  asked[1]?.answer.resolve(false);
  expect(await again).toBe(false);
});

test('while the registry does not answer, what is known goes on without a wait', async () => {
  const { clock, asked, isAgent } = owners();
  const first = isAgent('a');
  asked[0]?.answer.resolve(false);
  await first;
  clock.advance(2000);
  const late = isAgent('a');
  asked[1]?.answer.reject(new Error('away'));
  expect(await late).toBe(false);
  // This question has no answer yet.
  expect(await isAgent('a')).toBe(false);
  expect(asked).toHaveLength(3);
  const unknown = isAgent('b');
  asked[3]?.answer.reject(new Error('away'));
  await expect(unknown).rejects.toThrow('away');
  // It is back: the next answer counts.
  asked[2]?.answer.resolve(true);
  await expect.poll(() => isAgent('a')).toBe(true);
});
