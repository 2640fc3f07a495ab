// What is particular to feeds of event logs: positions, and stores of which a part may not answer.
import { HeldClock } from '@hypercode/clock/testing';
import { SwarmError } from '@hypercode/contracts';
import { createLocalSignal } from '@hypercode/feed';
import { expect, test, vi } from 'vitest';
import type { EventLog } from '../store/event-log.ts';
import type { LogPosition } from '../store/position.ts';
import { EventFeeds } from './event-feeds.ts';

const START: LogPosition = { epoch: 'e', seq: 0, nonce: 0 };

function feedsOfEmptyLogs() {
  const ranges = vi.fn(
    async (namespaces: readonly string[]) => new Map(namespaces.map((name) => [name, { horizon: START, head: START }])),
  );
  const retention = { maxEvents: 1, maxBytes: 1, maxAgeMs: 1 };
  const read = vi.fn<EventLog['read']>(async () => []);
  const size = async () => ({ kept: 0, removed: 0, keptBytes: 0, removedBytes: 0 });
  const event = () => Promise.reject(new Error('not read'));
  const reads = { read, event, positionBefore: event, readBack: event, find: event, remembered: event };
  const log = { retention, append: async () => [], ...reads, ranges, size, topics: async () => [] };
  const signal = createLocalSignal();
  const clock = new HeldClock();
  const feeds = new EventFeeds({ log, signal, clock, onError: () => undefined });
  const close = async () => {
    await feeds.close();
    await signal.close();
  };
  return { feeds, ranges, read, close };
}

test('an own append is taken only where the log ended as the feed knows it', async () => {
  const { feeds, read, close } = feedsOfEmptyLogs();
  const { feed } = await feeds.follow('n');
  const entryAt = (seq: number, nonce: number) => ({
    position: { ...START, seq, nonce },
    appendedAtMs: 0,
    topic: 'a',
    text: '{}',
  });
  read.mockClear();
  feeds.appended('n', [entryAt(1, 5)], START);
  expect(feed.end).toEqual(entryAt(1, 5).position);
  expect(read).not.toHaveBeenCalled();
  // The store lost the event, another replica appended one in its place, and this is the next.
  feeds.appended('n', [entryAt(2, 7)], entryAt(1, 6).position);
  expect(feed.end).toEqual(entryAt(1, 5).position);
  expect(read).toHaveBeenCalledWith('n', entryAt(1, 5).position, expect.any(Number));
  await close();
});

test('logs on a node that does not answer are left out of the heads, and all of them fail only together', async () => {
  const { feeds, ranges, close } = feedsOfEmptyLogs();
  ranges.mockImplementation(async (namespaces) => {
    if (namespaces.includes('away')) throw new SwarmError('UNAVAILABLE', 'the node does not answer');
    return new Map(namespaces.map((name) => [name, { horizon: START, head: START }]));
  });
  const [there, away] = await Promise.allSettled([feeds.head('there'), feeds.head('away')]);
  expect(there).toMatchObject({ status: 'fulfilled', value: { head: START } });
  expect(away).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } });
  await expect(feeds.head('away')).rejects.toThrow('the node does not answer');
  await close();
});

test('a short log is read from its horizon, and of a long one only the end', async () => {
  const { feeds, ranges, close } = feedsOfEmptyLogs();
  const headAt = (seq: number) => ({ horizon: START, head: { ...START, seq, nonce: 1 } });
  ranges.mockImplementation(
    async () =>
      new Map([
        ['short', headAt(2000)],
        ['long', headAt(2001)],
      ]),
  );
  expect((await feeds.follow('short')).feed.ring.start).toEqual(START);
  expect((await feeds.follow('long')).feed.ring.start).toEqual(headAt(2001).head);
  await close();
});
