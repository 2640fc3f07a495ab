// Streams of one log: each is sent everything once and in order, out of the ring or out of the log, whatever happens to both.
import { HeldClock } from '@hypercode/clock/testing';
import { SwarmError } from '@hypercode/contracts';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Bookmarks } from './bookmarks.ts';
import { Broadcast, type Projection } from './broadcast.ts';
import { CursorStream, type CursorStreamOptions } from './cursor-stream.ts';
import { Feed, type Log } from './feed.ts';
import { type StreamBatch, ValueItem } from './stream-item.ts';

interface Fact {
  readonly position: number;
}
type Item = ValueItem<{ type: string }>;
/** The log begins after this. */
interface Compacted {
  readonly horizon: number;
}
type Options = CursorStreamOptions<number, Fact, Item, Compacted>;

const PAGE = 50;
const items = new Map<number, Item>();
function itemAt(position: number): Item {
  const item = items.get(position) ?? new ValueItem(String(position), { type: 'fact' });
  items.set(position, item);
  return item;
}
const everything: Projection<Fact, Item> = { key: 'all', project: ({ position }) => itemAt(position) };
const even: Projection<Fact, Item> = {
  key: 'even',
  project: ({ position }) => (position % 2 === 0 ? itemAt(position) : null),
};

/** A log in memory of `length` facts, a feed of it whose ring holds `maxEntries`, and streams of that feed. */
async function open({ length = 0, maxEntries = 10 } = {}) {
  const store = { length, horizon: 0 };
  const after = (position: number, limit: number): Fact[] | Compacted => {
    if (position < store.horizon || position > store.length) return { horizon: store.horizon };
    const size = Math.min(limit, store.length - position);
    return Array.from({ length: size }, (_, index) => ({ position: position + index + 1 }));
  };
  const log: Log<number, Fact> = {
    read: async (position, limit) => {
      const read = after(position, limit);
      return Array.isArray(read) ? read : null;
    },
    begin: async () => store.length,
    compare: (a, b) => a - b,
    sizeOf: () => 1,
  };
  const limits = { maxEntries, maxBytes: Infinity };
  const feed = await Feed.follow(log, { limits, readLimit: PAGE, onError: () => undefined });
  const broadcast = new Broadcast<number, Fact, Item>(feed);
  const clock = new HeldClock();
  const bookmarks = new Bookmarks<number, Item>({
    clock,
    intervalMs: 15_000,
    idOf: String,
    make: (position) => new ValueItem(String(position), { type: 'bookmark' }),
    onTick: () => broadcast.tick(),
  });
  const reads = vi.fn(async (position: number) => after(position, PAGE));
  const over = new AbortController();
  const streams: AsyncGenerator<StreamBatch<Item>, void>[] = [];
  const stream = (options: Partial<Options> = {}) =>
    new CursorStream<number, Fact, Item, Compacted>({
      broadcast,
      bookmarks,
      from: 0,
      isConfirmed: false,
      holds: (position) => feed.ring.reaches(position) && position <= feed.end,
      read: reads,
      bridge: async function* ({ horizon }) {
        yield [new ValueItem(String(horizon), { type: 'gap' })];
        return horizon;
      },
      ...options,
    });
  /** Runs the stream; `next` gives the ids and types of its next batch. */
  const run = (cursor: CursorStream<number, Fact, Item, Compacted>, projection = everything, signal = over.signal) => {
    const batches = cursor.run(projection, signal);
    streams.push(batches);
    const next = async () => {
      const { value, done } = await batches.next();
      return done === true ? null : value.map(({ id, type }) => (type === 'fact' ? id : `${type} ${id}`));
    };
    return { next, batches };
  };
  const add = (count: number): void => {
    const facts = Array.from({ length: count }, (_, index) => ({ position: store.length + index + 1 }));
    store.length += count;
    feed.offer(facts, (end, { position }) => position === end + 1);
  };
  onTestFinished(async () => {
    over.abort();
    await feed.close();
    for (const batches of streams) await batches.return().catch(() => undefined);
    bookmarks.close();
    expect(clock.armed).toBe(0);
  });
  return { store, feed, broadcast, bookmarks, clock, reads, over, stream, run, add };
}

const ids = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => String(first + n));

test('a stream that catches up without a match is sent a bookmark after a tick, from which it resumes', async () => {
  const { stream, run, reads, clock, bookmarks } = await open({ length: 4 * PAGE });
  const nothing: Projection<Fact, Item> = { key: 'nothing', project: () => null };
  const read = reads.getMockImplementation();
  reads.mockImplementation(async (position) => {
    if (position === PAGE) {
      clock.advance(15_000);
      await vi.waitFor(() => expect(bookmarks.ticks).toBe(1));
    }
    return (await read?.(position)) ?? [];
  });
  const { next } = run(stream(), nothing);
  expect(await next()).toEqual([`bookmark ${2 * PAGE}`]);
});

test('a live stream is sent what the ring holds after its cursor and what is added, without a read of the log', async () => {
  const { stream, run, add, reads } = await open();
  add(3);
  const { next } = run(stream({ from: 1 }));
  expect(await next()).toEqual(ids(2, 3));
  add(2);
  expect(await next()).toEqual(ids(4, 5));
  expect(reads).not.toHaveBeenCalled();
});

test('live streams of the same projection are sent the same batch', async () => {
  const { stream, run, add } = await open();
  const [a, b] = [run(stream()), run(stream())];
  const batches = [a.batches.next(), b.batches.next()];
  add(3);
  const [first, second] = await Promise.all(batches);
  expect(first?.value).toBe(second?.value);
});

test('an old cursor catches up from the log in small batches, and then is live', async () => {
  const { stream, run, add, reads } = await open({ length: 120 });
  const { next } = run(stream({ from: 5 }));
  const sent: (string | null)[] = [];
  while (sent.at(-1) !== '120') {
    const batch = await next();
    expect(batch?.length).toBeLessThanOrEqual(32);
    sent.push(...(batch ?? [null]));
  }
  expect(sent).toEqual(ids(6, 120));
  const { length } = reads.mock.calls;
  add(1);
  expect(await next()).toEqual(['121']);
  expect(reads.mock.calls).toHaveLength(length);
});

test('a stream that was not pulled while the ring went on catches up from the log', async () => {
  const { stream, run, add } = await open({ maxEntries: 4 });
  const { next } = run(stream());
  add(1);
  expect(await next()).toEqual(['1']);
  add(20);
  add(20);
  const sent: string[] = [];
  while (sent.at(-1) !== '41') sent.push(...((await next()) ?? []));
  expect(sent).toEqual(ids(2, 41));
});

test('a gap that the log cannot read is bridged, and the stream continues after it', async () => {
  const { store, stream, run } = await open({ length: 30 });
  store.horizon = 20;
  const { next } = run(stream({ from: 5 }));
  expect([await next(), await next()]).toEqual([['gap 20'], ids(21, 30)]);
});

test('a cursor ahead of a log that lost its end is bridged, and never taken for live', async () => {
  const { store, feed, stream, run, add } = await open({ length: 30 });
  add(5);
  const { next } = run(stream({ from: 35, isConfirmed: true }));
  const waiting = next();
  store.length = 10;
  feed.wake();
  expect(await waiting).toEqual(['gap 0']);
  expect(await next()).toEqual(ids(1, 10));
});

test('a cursor before the end of a feed that is ahead of the store waits until the feed has noticed', async () => {
  const { store, feed, stream, run, add } = await open({ length: 30 });
  add(5);
  store.length = 31;
  // The ring holds another fact than the log at this place.
  const holds = (position: number) => feed.end <= 31 && position <= feed.end && feed.ring.reaches(position);
  const { next } = run(stream({ from: 31, holds }));
  const waiting = next();
  await vi.waitFor(() => expect(feed.end).toBe(31));
  add(1);
  expect(await waiting).toEqual(['32']);
});

test('a confirmed cursor that the feed has not come to waits live, without a read of the log', async () => {
  const { store, feed, stream, run, reads } = await open({ length: 3 });
  store.length = 5;
  const { next } = run(stream({ from: 5, isConfirmed: true }));
  const waiting = next();
  feed.wake();
  await vi.waitFor(() => expect(feed.end).toBe(5));
  store.length = 6;
  feed.wake();
  expect(await waiting).toEqual(['6']);
  expect(reads).not.toHaveBeenCalled();
});

test('a stream that has everything is sent a bookmark at every tick, the same for streams at the same position', async () => {
  const { stream, run, clock, add } = await open();
  add(3);
  const [a, b] = [run(stream({ from: 3 })), run(stream({ from: 3 }), even)];
  const waiting = [a.batches.next(), b.batches.next()];
  await vi.waitFor(() => expect(clock.armed).toBe(1));
  await clock.advanceThrough(15_000);
  const [first, second] = await Promise.all(waiting);
  expect(first?.value).toBe(second?.value);
  expect(first?.value?.[0]).toMatchObject({ id: '3', type: 'bookmark' });
  const later = b.next();
  // Entries that the projection hides move the bookmark.
  add(2);
  expect(await later).toEqual(['4']);
  const bookmark = b.next();
  await clock.advanceThrough(15_000);
  expect(await bookmark).toEqual(['bookmark 5']);
});

test('a batch of its own comes before a bookmark, when the stream has everything up to a position', async () => {
  const { stream, run, add } = await open();
  add(2);
  let isDue = true;
  const ownBatch = (position: number) => {
    if (!isDue || position < 2) return null;
    isDue = false;
    return [new ValueItem(String(position), { type: 'synced' })];
  };
  const { next } = run(stream({ ownBatch }));
  expect([await next(), await next()]).toEqual([ids(1, 2), ['synced 2']]);
});

test('a stream goes on where it ended, with another projection', async () => {
  const { stream, run, add } = await open();
  const cursor = stream();
  const stale = new AbortController();
  const { next } = run(cursor, everything, stale.signal);
  add(3);
  expect(await next()).toEqual(ids(1, 3));
  stale.abort();
  expect(await next()).toBeNull();
  add(3);
  expect(await run(cursor, even).next()).toEqual(['4', '6']);
});

test('an aborted stream ends silently, or with the refusal that it was aborted with', async () => {
  const { stream, run } = await open();
  const [silent, refused] = [new AbortController(), new AbortController()];
  const waiting = [run(stream(), everything, silent.signal).next(), run(stream(), everything, refused.signal).next()];
  silent.abort();
  const refusal = new SwarmError('UNAUTHENTICATED', 'the token was revoked');
  refused.abort(refusal);
  const [first, second] = await Promise.allSettled(waiting);
  expect(first).toMatchObject({ status: 'fulfilled', value: null });
  expect(second).toMatchObject({ status: 'rejected', reason: refusal });
});

test('a stream ends with UNAVAILABLE when its feed is closed, also while it waits for the feed to notice a lost end', async () => {
  const { feed, stream, run } = await open({ length: 5 });
  const live = run(stream({ from: 5 })).next();
  const waiting = run(stream({ from: 5, holds: () => false, read: async () => [] })).next();
  await feed.close();
  for (const ending of [live, waiting]) await expect(ending).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
