// Which logs a replica follows: those in use, and no others for long.
import { createLocalSignal } from '@hypercode/feed';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { EventLog, LogEntry } from '../store/event-log.ts';
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
  const log = { retention, append: async () => [], read, ranges, size, topics: async () => [] };
  const signal = createLocalSignal();
  const feeds = new EventFeeds({ log, signal, onError: () => undefined });
  const close = async () => {
    await feeds.close();
    await signal.close();
  };
  return { feeds, signal, ranges, read, close };
}

describe('event feeds', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('let go of a log that nobody uses, and keep the others', async () => {
    const { feeds, ranges, close } = feedsOfEmptyLogs();
    const idle = await feeds.follow('idle');
    idle.use()();
    const release = (await feeds.follow('used')).use();
    await vi.advanceTimersByTimeAsync(50_000);
    expect(await feeds.follow('idle')).toBe(idle);
    await vi.advanceTimersByTimeAsync(50_000);
    expect([...feeds.running.keys()]).toEqual(['idle', 'used']);
    await vi.advanceTimersByTimeAsync(20_000);
    expect([...feeds.running.keys()]).toEqual(['used']);
    expect(idle.feed.closed).toBe(true);
    ranges.mockClear();
    await vi.advanceTimersByTimeAsync(1000);
    expect(ranges.mock.calls).toEqual([[['used']]]);
    const again = await feeds.follow('idle');
    expect(again.feed.closed).toBe(false);
    release();
    await vi.advanceTimersByTimeAsync(70_000);
    expect(feeds.running.size).toBe(0);
    await close();
  });

  test('hear of what is appended while they begin', async () => {
    const { feeds, signal, read, close } = feedsOfEmptyLogs();
    const answers: ((entries: LogEntry[]) => void)[] = [];
    read.mockImplementation(() => new Promise((resolve) => answers.push(resolve)));
    const following = feeds.follow('n');
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    signal.notify('bus:n');
    answers[0]?.([]);
    const { feed } = await following;
    await Promise.resolve();
    expect(answers).toHaveLength(2);
    const entry = { position: { ...START, seq: 1, nonce: 1 }, topic: 'a', text: '{}' };
    answers[1]?.([entry]);
    await vi.waitFor(() => expect(feed.end).toEqual(entry.position));
    await close();
  });

  test('take an own append only where the log ended as they know it', async () => {
    const { feeds, read, close } = feedsOfEmptyLogs();
    const { feed } = await feeds.follow('n');
    const entryAt = (seq: number, nonce: number) => ({ position: { ...START, seq, nonce }, topic: 'a', text: '{}' });
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

  test('read for all who ask at the same time together, and never show what was true before they asked', async () => {
    const { feeds, read, close } = feedsOfEmptyLogs();
    const answers: ((entries: LogEntry[]) => void)[] = [];
    read.mockImplementation(() => new Promise((resolve) => answers.push(resolve)));
    const early = [feeds.read('n', START), feeds.read('n', START)];
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    // What is appended now is not in the answer that is under way.
    const late = [feeds.read('n', START), feeds.read('n', START)];
    answers[0]?.([]);
    expect(await Promise.all(early)).toEqual([[], []]);
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    const entry = { position: { ...START, seq: 1, nonce: 1 }, topic: 'a', text: '{}' };
    answers[1]?.([entry]);
    expect(await Promise.all(late)).toEqual([[entry], [entry]]);
    const again = feeds.read('n', START);
    await vi.waitFor(() => expect(answers).toHaveLength(3));
    answers[2]?.([]);
    await again;
    await close();
  });
});
