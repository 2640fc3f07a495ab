// Appends of one namespace: in order, together where they can be, and nothing sent later for a caller who was told that it failed.
import { SwarmError } from '@hypercode/contracts';
import { describe, expect, test, vi } from 'vitest';
import type { Appended, NewEvent } from '../store/event-log.ts';
import { AppendLane } from './append-lane.ts';

/** A log whose answers wait until the test gives them. */
function openLane() {
  const calls: { ids: string[]; answer: () => void; fail: (error: unknown) => void }[] = [];
  let seq = 0;
  const lane = new AppendLane({
    namespace: 'n',
    onAppended: vi.fn(),
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
  return { lane, calls };
}

const eventOf = (id: string, text = '{}'): NewEvent => ({ id, source: '/s', topic: 't', text });
const called = (calls: unknown[], times: number) => vi.waitFor(() => expect(calls).toHaveLength(times));
const seqsOf = (appended: Appended[]) => appended.map(({ position }) => position.seq);

describe('AppendLane', () => {
  test('appends together what comes together, and what comes meanwhile after it', async () => {
    const { lane, calls } = openLane();
    const first = [lane.append([eventOf('a'), eventOf('b')]), lane.append([eventOf('c')])];
    await called(calls, 1);
    const second = [lane.append([eventOf('d')]), lane.append([eventOf('e')])];
    expect(lane.idle).toBe(false);
    calls[0]?.answer();
    expect((await Promise.all(first)).map(seqsOf)).toEqual([[1, 2], [3]]);
    await called(calls, 2);
    calls[1]?.answer();
    expect((await Promise.all(second)).map(seqsOf)).toEqual([[4], [5]]);
    expect(calls.map(({ ids }) => ids)).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ]);
    await vi.waitFor(() => expect(lane.idle).toBe(true));
  });

  test('has at most two appends under way, and the second only when it is worth it', async () => {
    const { lane, calls } = openLane();
    const appends = [lane.append([eventOf('first')])];
    await called(calls, 1);
    for (let i = 0; i < 3000; i += 1) appends.push(lane.append([eventOf(String(i))]));
    await called(calls, 2);
    expect(calls[1]?.ids).toHaveLength(1000);
    for (let at = 0; at < 4; at += 1) {
      await called(calls, Math.min(at + 2, 4));
      calls[at]?.answer();
    }
    const all = (await Promise.all(appends)).flatMap(seqsOf);
    expect(all).toEqual(Array.from({ length: 3001 }, (_, i) => i + 1));
  });

  test('fails what waits together with what met a store that does not answer, and sends nothing of it', async () => {
    const { lane, calls } = openLane();
    const sent = lane.append([eventOf('sent')]);
    await called(calls, 1);
    const waiting = lane.append([eventOf('waiting')]);
    const away = new SwarmError('UNAVAILABLE', 'away');
    calls[0]?.fail(away);
    await expect(sent).rejects.toBe(away);
    await expect(waiting).rejects.toBe(away);
    const later = lane.append([eventOf('later')]);
    await called(calls, 2);
    calls[1]?.answer();
    await later;
    expect(calls.flatMap(({ ids }) => ids)).toEqual(['sent', 'later']);
  });

  test('a bad neighbour harms nobody', async () => {
    const { lane, calls } = openLane();
    const [good, bad] = [lane.append([eventOf('good')]), lane.append([eventOf('bad')])];
    await called(calls, 1);
    calls[0]?.fail(new Error('one of them'));
    await called(calls, 3);
    calls[1]?.answer();
    calls[2]?.fail(new Error('this one'));
    expect(seqsOf(await good)).toEqual([1]);
    await expect(bad).rejects.toThrow('this one');
  });

  test('refuses at once when too much waits', async () => {
    const { lane, calls } = openLane();
    const first = lane.append([eventOf('first')]);
    await called(calls, 1);
    const large = Array.from({ length: 600 }, () => eventOf('large', 'x'.repeat(256 * 1024)));
    await expect(lane.append(large)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 1000 });
    calls[0]?.answer();
    await first;
  });
});
