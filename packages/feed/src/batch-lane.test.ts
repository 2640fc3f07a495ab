// Batches of one namespace: in order, together where they can be, and nothing written later for a caller whose call failed.
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { BatchLane, type FailureScope, type Job } from './batch-lane.ts';
import { BatchLanes } from './batch-lanes.ts';

const SCOPES: Readonly<Record<string, FailureScope>> = { unavailable: 'lane', refused: 'batch' };
const OPTIONS = {
  weigh: (item: string) => ({ count: 1, length: item.length }),
  maxBatch: { count: 100, length: 10_000 },
  maxWaiting: { count: 1000, length: 20_000 },
  minOverlapping: 10,
  scopeOf: (error: unknown): FailureScope => SCOPES[error instanceof Error ? error.message : ''] ?? 'item',
};

interface Call {
  items: string[];
  answer: (again?: readonly string[]) => void;
  fail: (message: string) => void;
}

/** A lane whose writes wait until the test answers them; an item is answered with its number. */
function heldLane(options: Partial<typeof OPTIONS> & { keyOf?: (item: string) => string } = {}) {
  const calls: Call[] = [];
  let answered = 0;
  const write = (batch: readonly Job<string, number>[]) =>
    new Promise<readonly Job<string, number>[]>((resolve, reject) => {
      calls.push({
        items: batch.map(({ item }) => item),
        answer: (again = []) => {
          const left = batch.filter(({ item }) => again.includes(item));
          for (const job of batch) if (!left.includes(job)) job.settle((answered += 1));
          resolve(left);
        },
        fail: (message) => reject(new Error(message)),
      });
    });
  return { lane: new BatchLane<string, number>({ ...OPTIONS, ...options, write }), calls };
}

const called = (calls: readonly Call[], times: number) => vi.waitFor(() => expect(calls).toHaveLength(times));
const itemsOf = (calls: readonly Call[]) => calls.map(({ items }) => items);

test('items of the same turn are written together, and those that come meanwhile after them', async () => {
  const { lane, calls } = heldLane();
  const first = [lane.submit('a'), lane.submit('b')];
  await called(calls, 1);
  const second = [lane.submit('c'), lane.submit('d')];
  expect(lane.isIdle).toBe(false);
  calls[0]?.answer();
  expect(await Promise.all(first)).toEqual([1, 2]);
  await called(calls, 2);
  calls[1]?.answer();
  expect(await Promise.all(second)).toEqual([3, 4]);
  expect(itemsOf(calls)).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  await vi.waitFor(() => expect(lane.isIdle).toBe(true));
});

test('at most two batches are under way, and the second only when enough waits', async () => {
  const { lane, calls } = heldLane();
  const answers = [lane.submit('first')];
  await called(calls, 1);
  for (let n = 0; n < 9; n += 1) answers.push(lane.submit(String(n)));
  await new Promise((resolve) => setImmediate(resolve));
  expect(calls).toHaveLength(1);
  for (let n = 9; n < 300; n += 1) answers.push(lane.submit(String(n)));
  await called(calls, 2);
  expect(calls[1]?.items).toHaveLength(100);
  for (let at = 0; at < 4; at += 1) {
    await called(calls, Math.min(at + 2, 4));
    calls[at]?.answer();
  }
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 301 }, (_, index) => index + 1));
});

test('a batch ends before the item with which it would become too long, and a longer item goes by itself', async () => {
  const { lane, calls } = heldLane({ maxBatch: { count: 100, length: 4 } });
  const answers = ['aa', 'bb', 'c', 'too long', 'd'].map((item) => lane.submit(item));
  for (let at = 0; at < 4; at += 1) {
    await called(calls, at + 1);
    calls[at]?.answer();
  }
  await Promise.all(answers);
  expect(itemsOf(calls)).toEqual([['aa', 'bb'], ['c'], ['too long'], ['d']]);
});

test('what is more than may wait is refused at once, by count and by length', async () => {
  const { lane, calls } = heldLane({ maxWaiting: { count: 2, length: 10 } });
  const first = lane.submit('first');
  await called(calls, 1);
  await expect(lane.submit('x'.repeat(11))).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 1000 });
  const waiting = [lane.submit('a'), lane.submit('b')];
  await expect(lane.submit('c')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  calls[0]?.answer();
  await called(calls, 2);
  calls[1]?.answer();
  expect(await Promise.all([first, ...waiting])).toEqual([1, 2, 3]);
});

test('an unavailable store fails everything that waits, and nothing of it is written later', async () => {
  const { lane, calls } = heldLane();
  const sent = lane.submit('sent');
  await called(calls, 1);
  const waiting = [lane.submit('waiting'), lane.submit('too')];
  calls[0]?.fail('unavailable');
  for (const answer of [sent, ...waiting]) await expect(answer).rejects.toThrow('unavailable');
  const later = lane.submit('later');
  await called(calls, 2);
  calls[1]?.answer();
  expect(await later).toBe(1);
  expect(itemsOf(calls)).toEqual([['sent'], ['later']]);
});

test('a refused batch fails, and what waits is written', async () => {
  const { lane, calls } = heldLane();
  const refused = [lane.submit('a'), lane.submit('b')];
  await called(calls, 1);
  const waiting = lane.submit('c');
  calls[0]?.fail('refused');
  for (const answer of refused) await expect(answer).rejects.toThrow('refused');
  await called(calls, 2);
  calls[1]?.answer();
  expect(await waiting).toBe(1);
});

test('after bad data each item of the batch is written alone, before what came later, and only the bad one fails', async () => {
  const { lane, calls } = heldLane();
  const [good, bad, other] = [lane.submit('good'), lane.submit('bad'), lane.submit('other')];
  const failure = bad.catch((error: unknown) => error);
  await called(calls, 1);
  const later = lane.submit('later');
  calls[0]?.fail('bad data');
  await called(calls, 2);
  calls[1]?.answer();
  await called(calls, 3);
  calls[2]?.fail('bad data');
  await called(calls, 4);
  calls[3]?.answer();
  await called(calls, 5);
  calls[4]?.answer();
  expect(await good).toBe(1);
  expect(await failure).toEqual(new Error('bad data'));
  expect([await other, await later]).toEqual([2, 3]);
  expect(itemsOf(calls)).toEqual([['good', 'bad', 'other'], ['good'], ['bad'], ['other'], ['later']]);
});

test('an item that was settled before its batch failed keeps its answer', async () => {
  const lane = new BatchLane<string, number>({
    ...OPTIONS,
    write: async (batch) => {
      batch[0]?.settle(7);
      throw new Error('unavailable');
    },
  });
  const [settled, open] = [lane.submit('settled'), lane.submit('open')];
  await expect(open).rejects.toThrow('unavailable');
  expect(await settled).toBe(7);
});

test('an item that has to be written again comes first in a later batch', async () => {
  const { lane, calls } = heldLane();
  const [again, done] = [lane.submit('again'), lane.submit('done')];
  await called(calls, 1);
  const later = lane.submit('later');
  calls[0]?.answer(['again']);
  expect(await done).toBe(1);
  await called(calls, 2);
  expect(calls[1]?.items).toEqual(['again', 'later']);
  calls[1]?.answer();
  expect([await again, await later]).toEqual([2, 3]);
});

test('items of one key are never in two batches under way, and keep their order', async () => {
  const jobs = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(jobs, fc.array(fc.nat(2), { maxLength: 80 }), async (keys, outcomes) => {
      const turns = outcomes.values();
      const underWay = new Map<string, number>();
      const written: string[] = [];
      const lane = new BatchLane<string, number>({
        ...OPTIONS,
        maxBatch: { count: 5, length: 1000 },
        minOverlapping: 2,
        keyOf: (item) => item.slice(0, 1),
        write: async (batch) => {
          const own = new Set(batch.map(({ item }) => item.slice(0, 1)));
          for (const key of own) {
            expect(underWay.get(key) ?? 0).toBe(0);
            underWay.set(key, 1);
          }
          await new Promise((resolve) => setImmediate(resolve));
          for (const key of own) underWay.delete(key);
          const outcome = turns.next().value ?? 0;
          if (outcome === 1 && batch.length > 1) throw new Error('bad data');
          // The first of the batch is written, and the others have to be written again.
          const done = outcome === 2 ? 1 : batch.length;
          for (const job of batch.slice(0, done)) {
            written.push(job.item);
            job.settle(1);
          }
          return batch.slice(done);
        },
      });
      const items = keys.map((key, index) => `${key}${index}`);
      await Promise.all(items.map((item) => lane.submit(item)));
      expect(written.toSorted()).toEqual(items.toSorted());
      for (const key of new Set(keys)) {
        const ofKey = (item: string) => item.startsWith(key);
        expect(written.filter(ofKey)).toEqual(items.filter(ofKey));
      }
    }),
    { numRuns: 200 },
  );
});

test('lanes of different namespaces do not wait for each other, and idle resolves when all are', async () => {
  const held = Promise.withResolvers<void>();
  const lanes = new BatchLanes<string, string>({
    ...OPTIONS,
    write: async (namespace, batch) => {
      if (namespace === 'slow') await held.promise;
      for (const job of batch) job.settle(namespace);
      return [];
    },
  });
  const slow = lanes.submit('slow', 'a');
  expect(await lanes.submit('fast', 'a')).toBe('fast');
  let isIdle = false;
  const idle = lanes.idle().then(() => (isIdle = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isIdle).toBe(false);
  held.resolve();
  await idle;
  expect(await slow).toBe('slow');
  await lanes.idle();
});

test('what follows a failure of the store never has more than two batches of a namespace under way', async () => {
  const held: PromiseWithResolvers<void>[] = [];
  let underWay = 0;
  let most = 0;
  const lanes = new BatchLanes<string, string>({
    ...OPTIONS,
    minOverlapping: 1,
    write: async (_namespace, batch) => {
      underWay += 1;
      most = Math.max(most, underWay);
      const answer = Promise.withResolvers<void>();
      held.push(answer);
      await answer.promise.finally(() => (underWay -= 1));
      for (const job of batch) job.settle('done');
      return [];
    },
  });
  const answers: Promise<PromiseSettledResult<string>[]>[] = [];
  const submit = (item: string) => answers.push(Promise.allSettled([lanes.submit('n', item)]));
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  submit('a');
  await turn();
  // Its turn is scheduled when the failure takes it along, and comes when the next item has a lane of its own.
  submit('b');
  held[0]?.reject(new Error('unavailable'));
  await answers[1];
  submit('c');
  await turn();
  for (const item of ['d', 'e', 'f', 'g']) {
    submit(item);
    await turn();
  }
  expect(most).toBe(2);
  for (let at = 1; at < held.length; at += 1) {
    held[at]?.resolve();
    await turn();
  }
  const settled = (await Promise.all(answers)).flat().map(({ status }) => status);
  expect(settled).toEqual(['rejected', 'rejected', ...Array.from({ length: 5 }, () => 'fulfilled')]);
});
