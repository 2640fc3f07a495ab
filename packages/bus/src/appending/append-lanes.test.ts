// Appends to the logs: the events of one caller stay together, and each caller is given its own answers.
import { SwarmError } from '@hypercode/contracts';
import { expect, test, vi } from 'vitest';
import type { Appended, NewEvent } from '../store/event-log.ts';
import { type Append, AppendLanes } from './append-lanes.ts';

/** A log whose answers wait until the test gives them. */
function openLanes() {
  const calls: { ids: string[]; answer: () => void; fail: (error: unknown) => void }[] = [];
  const onAppended = vi.fn<(append: Append) => void>();
  let seq = 0;
  const lanes = new AppendLanes({
    onAppended,
    monotonicNow: () => 0,
    log: {
      append: (_namespace, events) =>
        new Promise<Appended[]>((resolve, reject) => {
          calls.push({
            ids: events.map(({ id }) => id),
            answer: () =>
              resolve(events.map(() => ({ position: { epoch: 'e', seq: (seq += 1), nonce: 1 }, duplicate: false }))),
            fail: reject,
          });
        }),
    },
  });
  return {
    append: (...ids: string[]) =>
      lanes.append(
        'n',
        ids.map((id) => eventOf(id)),
      ),
    lanes,
    calls,
    onAppended,
  };
}

const eventOf = (id: string, text = '{}'): NewEvent => ({ id, source: '/s', topic: 't', text });
const called = (calls: unknown[], times: number) => vi.waitFor(() => expect(calls).toHaveLength(times));
const seqsOf = (appended: Appended[]) => appended.map(({ position }) => position.seq);

test('callers at the same time share an append, and each is given the answers to its own events', async () => {
  const { append, calls, onAppended } = openLanes();
  const answers = [append('a', 'b'), append('c')];
  await called(calls, 1);
  calls[0]?.answer();
  expect((await Promise.all(answers)).map(seqsOf)).toEqual([[1, 2], [3]]);
  expect(onAppended.mock.calls).toMatchObject([[{ namespace: 'n', ms: 0, appended: [{}, {}, {}] }]]);
  expect(onAppended.mock.calls[0]?.[0].events.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
});

test('a store that does not answer fails the waiting callers too; any other fault is that of one caller', async () => {
  const { append, calls } = openLanes();
  const sent = append('sent');
  await called(calls, 1);
  const waiting = append('waiting');
  const unavailable = new SwarmError('UNAVAILABLE', 'the store does not answer');
  calls[0]?.fail(unavailable);
  await expect(sent).rejects.toBe(unavailable);
  await expect(waiting).rejects.toBe(unavailable);

  const [good, bad] = [append('good'), append('bad')];
  const failure = bad.catch((error: unknown) => error);
  await called(calls, 2);
  calls[1]?.fail(new Error('one of them'));
  await called(calls, 3);
  calls[2]?.answer();
  await called(calls, 4);
  calls[3]?.fail(new Error('this one'));
  expect(seqsOf(await good)).toEqual([1]);
  expect(await failure).toEqual(new Error('this one'));
  expect(calls.map(({ ids }) => ids)).toEqual([['sent'], ['good', 'bad'], ['good'], ['bad']]);
});

test('an append takes at most 1,000 events, and what is more than may wait is refused', async () => {
  const { append, lanes, calls } = openLanes();
  const first = append('first');
  await called(calls, 1);
  const idsOf = (caller: string) => Array.from({ length: 400 }, (_, n) => `${caller}-${n}`);
  const many = ['a', 'b', 'c'].map((caller) => append(...idsOf(caller)));
  const large = Array.from({ length: 600 }, () => eventOf('large', 'x'.repeat(256 * 1024)));
  await expect(lanes.append('n', large)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 1000 });
  await called(calls, 2);
  expect(calls[1]?.ids).toHaveLength(800);
  calls[0]?.answer();
  await called(calls, 3);
  expect(calls[2]?.ids).toHaveLength(400);
  for (const call of calls) call.answer();
  await Promise.all([first, ...many]);
});
