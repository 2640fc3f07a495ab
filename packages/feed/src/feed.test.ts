import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { Alarm } from './alarm.ts';
import { Feed, type Log } from './feed.ts';

interface Numbered {
  position: number;
}

/** A log in memory whose reads can be held back, cut off and made to fail. */
class MemoryLog implements Log<number, Numbered> {
  horizon = 0;
  head = 0;
  reads = 0;
  failure: Error | null = null;
  gate: Promise<void> = Promise.resolve();

  async read(position: number, limit: number): Promise<Numbered[] | null> {
    this.reads += 1;
    const { failure } = this;
    const answer = this.#after(position, limit);
    await this.gate;
    if (failure !== null) throw failure;
    return answer;
  }

  begin = async (): Promise<number> => this.horizon;
  compare = (a: number, b: number): number => a - b;
  sizeOf = (): number => 1;

  #after(position: number, limit: number): Numbered[] | null {
    if (position < this.horizon || position > this.head) return null;
    return Array.from({ length: Math.min(limit, this.head - position) }, (_, index) => ({
      position: position + index + 1,
    }));
  }
}

const isNext = (end: number, entry: Numbered) => entry.position === end + 1;

const LIMITS = { limits: { maxEntries: 1000, maxBytes: 1000 }, readLimit: 10 };

async function follow(log: MemoryLog) {
  const errors: unknown[] = [];
  const feed = await Feed.follow(log, {
    ...LIMITS,
    onError: (error) => errors.push(error),
  });
  const received: (number | null)[] = [];
  feed.onEntries((entries) => received.push(...(entries === null ? [null] : entries.map(({ position }) => position))));
  return { feed, received, errors };
}

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('Feed', () => {
  test('a feed reads on after a page that was cut short for its size', async () => {
    const log = new MemoryLog();
    const read = log.read.bind(log);
    log.read = (position) => read(position, 4);
    const feed = await Feed.follow(log, { ...LIMITS, readBytes: 4, onError: () => undefined });
    log.head = 35;
    feed.wake();
    await vi.waitFor(() => expect(feed.end).toBe(35));
    await feed.close();
  });

  test('a new feed reads the whole log, page by page', async () => {
    const log = new MemoryLog();
    log.head = 35;
    const { feed } = await follow(log);
    expect(feed.end).toBe(35);
    expect(feed.ring.after(0, 100).map(({ position }) => position)).toEqual(upTo(35));
    await feed.close();
  });

  test('a feed fails to start when the log cannot be read', async () => {
    const log = new MemoryLog();
    log.failure = new Error('unavailable');
    await expect(follow(log)).rejects.toThrow('unavailable');
  });

  test('wake-ups during a read cause exactly one more read', async () => {
    const log = new MemoryLog();
    const { feed, received } = await follow(log);
    const { promise, resolve } = Promise.withResolvers<void>();
    log.gate = promise;
    const before = log.reads;
    log.head = 1;
    feed.wake();
    log.head = 2;
    for (let calls = 0; calls < 100; calls += 1) feed.wake();
    resolve();
    await vi.waitFor(() => expect(received).toEqual([1, 2]));
    await turn();
    expect(log.reads - before).toBe(2);
    await feed.close();
  });

  test('a feed takes offered entries that follow its end directly, and reads others from the log', async () => {
    const log = new MemoryLog();
    const { feed, received } = await follow(log);
    const before = log.reads;
    log.head = 2;
    feed.offer([{ position: 1 }, { position: 2 }], isNext);
    expect(received).toEqual([1, 2]);
    expect(log.reads).toBe(before);

    log.head = 5;
    feed.offer([{ position: 5 }], isNext);
    await vi.waitFor(() => expect(received).toEqual(upTo(5)));
    feed.offer([{ position: 4 }], isNext);
    await vi.waitFor(() => expect(log.reads).toBe(before + 2));
    expect(received).toEqual(upTo(5));
    await feed.close();
  });

  test('an entry that is offered during a read is received exactly once', async () => {
    const log = new MemoryLog();
    const { feed, received } = await follow(log);
    const { promise, resolve } = Promise.withResolvers<void>();
    log.gate = promise;
    log.head = 1;
    feed.wake();
    log.head = 2;
    feed.offer([{ position: 1 }, { position: 2 }], isNext);
    resolve();
    await vi.waitFor(() => expect(received).toEqual([1, 2]));
    await feed.close();
  });

  test('entries that are offered during a read are received before a feed that closes has ended', async () => {
    const log = new MemoryLog();
    const { feed, received } = await follow(log);
    const { promise, resolve } = Promise.withResolvers<void>();
    log.gate = promise;
    log.head = 1;
    feed.wake();
    log.head = 3;
    feed.offer([{ position: 1 }, { position: 2 }, { position: 3 }], isNext);
    const closing = feed.close();
    resolve();
    await closing;
    expect(received).toEqual([1, 2, 3, null]);
  });

  test('a read that ends after others were offered adds what comes after those', async () => {
    const log = new MemoryLog();
    const { feed, received } = await follow(log);
    const { promise, resolve } = Promise.withResolvers<void>();
    log.gate = promise;
    log.head = 15;
    feed.wake();
    feed.offer([{ position: 1 }, { position: 2 }], isNext);
    expect(received).toEqual([1, 2]);
    resolve();
    await vi.waitFor(() => expect(received).toEqual(upTo(15)));
    await feed.close();
  });

  test('a feed reports a failed read and continues at the next wake-up', async () => {
    const log = new MemoryLog();
    const { feed, received, errors } = await follow(log);
    log.failure = new Error('unavailable');
    log.head = 1;
    feed.wake();
    await vi.waitFor(() => expect(errors).toEqual([log.failure]));
    log.failure = null;
    feed.wake();
    await vi.waitFor(() => expect(received).toEqual([1]));
    await feed.close();
  });

  test.each([
    [
      'the log was compacted past its end',
      (log: MemoryLog) => Object.assign(log, { horizon: 20, head: 25 }),
      upTo(25, 21),
    ],
    ['the log went back in time', (log: MemoryLog) => Object.assign(log, { horizon: 0, head: 2 }), upTo(2)],
  ])('a feed starts a new ring and notifies its listeners when %s', async (_case, change, expected) => {
    const log = new MemoryLog();
    log.head = 5;
    const { feed, received } = await follow(log);
    const { ring } = feed;
    change(log);
    feed.wake();
    await vi.waitFor(() => expect(received).toEqual([null, ...expected]));
    expect(feed.ring).not.toBe(ring);
    expect(feed.end).toBe(log.head);
    await feed.close();
  });

  test('a feed that closes notifies its listeners, and none that was removed', async () => {
    const { feed } = await follow(new MemoryLog());
    const [stays, left] = [vi.fn(), vi.fn()];
    feed.onEntries(stays);
    feed.onEntries(left)();
    feed.offer([{ position: 1 }], isNext);
    await feed.close();
    expect(stays.mock.calls).toEqual([[[{ position: 1 }]], [null]]);
    expect(left).not.toHaveBeenCalled();
    expect(feed.closed).toBe(true);
  });
});

describe('Alarm', () => {
  test('an alarm remembers one ring for the next wait', async () => {
    const alarm = new Alarm();
    alarm.ring();
    alarm.ring();
    await alarm.wait();
    const second = vi.fn();
    const waiting = alarm.wait().then(second);
    await turn();
    expect(second).not.toHaveBeenCalled();
    alarm.ring();
    await waiting;
  });
});
