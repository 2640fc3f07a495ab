// Which logs a replica follows: those in use, and no others for long.
import { createLocalSignal } from '@hypercode/feed';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LogPosition } from '../store/position.ts';
import { EventFeeds } from './event-feeds.ts';

const START: LogPosition = { epoch: 'e', seq: 0, nonce: 0 };

function feedsOfEmptyLogs() {
  const ranges = vi.fn(
    async (namespaces: readonly string[]) => new Map(namespaces.map((name) => [name, { horizon: START, head: START }])),
  );
  const retention = { maxEvents: 1, maxBytes: 1, maxAgeMs: 1 };
  const log = { retention, append: async () => [], read: async () => [], ranges, topics: async () => [] };
  const signal = createLocalSignal();
  const feeds = new EventFeeds({ log, signal, onError: () => undefined });
  const close = async () => {
    await feeds.close();
    await signal.close();
  };
  return { feeds, ranges, close };
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
});
