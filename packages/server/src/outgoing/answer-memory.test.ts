// Who gets memory for answers, in which order, and how long a call waits for it.
import { HeldClock } from '@hypercode/clock/testing';
import { expect, test } from 'vitest';
import { AnswerMemory } from './answer-memory.ts';

const memoryOf = (clock = new HeldClock()) => new AnswerMemory({ clock, maxBytes: 100, maxCallerBytes: 40 });

test('a caller that has its share waits, and holds up no other caller', async () => {
  const memory = memoryOf();
  const release = await memory.reserve('a', 40);
  const waiting = memory.reserve('a', 10);
  expect(waiting).toBeInstanceOf(Promise);
  const other = await memory.reserve('b', 40);
  expect(memory.bytes).toBe(80);
  release();
  (await waiting)();
  other();
  expect(memory.bytes).toBe(0);
});

test('calls for which there is no room get it in their order', async () => {
  const memory = memoryOf();
  const releases = await Promise.all([memory.reserve('a', 40), memory.reserve('b', 40)]);
  const order: string[] = [];
  const wait = async (caller: string) => {
    const release = await memory.reserve(caller, 40);
    order.push(caller);
    return release;
  };
  const waiting = [wait('c'), wait('d')];
  for (const release of releases) release();
  for (const release of await Promise.all(waiting)) release();
  expect(order).toEqual(['c', 'd']);
  expect(memory.bytes).toBe(0);
});

test('an answer larger than all the memory is made alone', async () => {
  const memory = memoryOf();
  const release = await memory.reserve('a', 1000);
  const waiting = memory.reserve('b', 1);
  release();
  (await waiting)();
  expect(memory.bytes).toBe(0);
});

test('a call that has waited for five seconds is refused, and takes nothing later', async () => {
  const clock = new HeldClock();
  const memory = memoryOf(clock);
  const release = await memory.reserve('a', 40);
  const refused = Promise.resolve(memory.reserve('a', 40)).catch((error: unknown) => error);
  clock.advance(5000);
  expect(await refused).toMatchObject({ code: 'RATE_LIMITED', details: { limit: 'answers' } });
  release();
  expect(memory.bytes).toBe(0);
});
