// Followers of one feed: each receives the items of its projection, in order and once, however slowly it reads.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { Broadcast, type Projection } from './broadcast.ts';
import { Feed, type Log } from './feed.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Fact {
  readonly position: number;
  readonly topic: string;
}

/** A log in memory, to be followed; what a store's driver is to the real one. */
async function follow(facts: Fact[], { maxEntries = 1000, factBytes = 1 } = {}) {
  const log: Log<number, Fact> = {
    read: async (position, limit) => facts.filter((fact) => fact.position > position).slice(0, limit),
    begin: async () => 0,
    compare: (a, b) => a - b,
    sizeOf: () => factBytes,
  };
  const feed = await Feed.follow(log, {
    limits: { maxEntries, maxBytes: Infinity },
    readLimit: 100,
    onError: (error) => {
      throw error;
    },
  });
  const add = (topic: string): void => {
    const fact = { position: facts.length + 1, topic };
    facts.push(fact);
    feed.offer([fact], (end, { position }) => position === end + 1);
  };
  return { feed, add };
}

const only = (topic: string): Projection<Fact, Fact> => ({
  key: topic,
  accepts: (route) => route === topic,
  project: (fact) => (fact.topic === topic ? fact : null),
});
const everything: Projection<Fact, Fact> = { key: '', project: (fact) => fact };

const routes = { routeOf: ({ topic }: Fact) => topic };

describe('Broadcast', () => {
  test('a follower receives exactly the matching entries of the log, whenever it joins and however slowly it reads', async () => {
    const actions = fc.array(
      fc.oneof(
        fc.constantFrom('a', 'b', 'c').map((topic) => ({ type: 'add' as const, topic })),
        fc.record({
          type: fc.constant('take' as const),
          who: fc.integer({ min: 0, max: 3 }),
          limit: fc.integer({ min: 1, max: 4 }),
        }),
        fc.record({ type: fc.constant('rejoin' as const), who: fc.integer({ min: 0, max: 3 }) }),
      ),
      { maxLength: 120 },
    );
    await fc.assert(
      fc.asyncProperty(actions, fc.integer({ min: 2, max: 10 }), async (steps, maxEntries) => {
        const facts: Fact[] = [];
        const { feed, add } = await follow(facts, { maxEntries });
        const broadcast = new Broadcast<number, Fact, Fact>(feed, routes);
        const projections = [only('a'), only('b'), only('a'), everything];
        const followers = projections.map((projection) => ({
          projection,
          follower: broadcast.join(projection),
          position: 0,
          received: [] as Fact[],
        }));
        for (const step of steps) {
          if (step.type === 'add') {
            add(step.topic);
            continue;
          }
          const who = followers[step.who];
          if (who === undefined) continue;
          if (step.type === 'rejoin') {
            who.follower.leave();
            who.follower = broadcast.join(who.projection);
            continue;
          }
          const fromRing = who.follower.after(who.position, step.limit);
          // What the ring has evicted is read from the log.
          const { items, upTo } = fromRing ?? {
            items: facts
              .filter(({ position }) => position > who.position)
              .filter((fact) => who.projection.project(fact) !== null),
            upTo: feed.end,
          };
          expect(items.length).toBeLessThanOrEqual(fromRing === null ? Infinity : step.limit);
          who.received.push(...items);
          expect(upTo).toBeGreaterThanOrEqual(who.position);
          who.position = upTo;
        }
        for (const { projection, position, received } of followers) {
          const expected = facts.filter((fact) => fact.position <= position && projection.project(fact) !== null);
          expect(received).toEqual(expected);
        }
        await feed.close();
      }),
      { numRuns: 200 },
    );
  });

  test('a follower finds its item after any number of entries that do not match, also when it joins after them', async () => {
    const { feed, add } = await follow([]);
    for (let n = 0; n < 300; n += 1) add('a');
    const follower = new Broadcast<number, Fact, Fact>(feed, routes).join(only('b'));
    expect(follower.after(0, 1)).toEqual({ items: [], upTo: 300 });
    add('b');
    expect(follower.after(0, 1)).toEqual({ items: [{ position: 301, topic: 'b' }], upTo: 301 });
    add('a');
    expect(follower.after(0, 2)).toEqual({ items: [{ position: 301, topic: 'b' }], upTo: 302 });
    follower.leave();
    await feed.close();
  });

  test('followers of one projection receive the same batch object, and other followers are not woken', async () => {
    const { feed, add } = await follow([]);
    const broadcast = new Broadcast<number, Fact, Fact>(feed, routes);
    const closing = new AbortController();
    const asked = vi.fn(() => null);
    const streams = [only('a'), only('a'), only('b')].map((projection) =>
      broadcast.follow(projection, 0, { signal: closing.signal, idle: asked }),
    );
    const [first, second, third] = streams.map((stream) => stream.next());
    await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(3));
    add('a');
    const [one, two] = [await first, await second];
    expect(one?.value).toEqual([{ position: 1, topic: 'a' }]);
    expect(two?.value).toBe(one?.value);
    expect(asked).toHaveBeenCalledTimes(3);
    closing.abort();
    expect(await third).toEqual({ done: true, value: 0 });
    await feed.close();
  });

  test('an idle follower is asked for an extra batch at every tick, with the newest position', async () => {
    const { feed, add } = await follow([]);
    const broadcast = new Broadcast<number, Fact, Fact>(feed, routes);
    const closing = new AbortController();
    const positions: number[] = [];
    let due = false;
    const stream = broadcast.follow(only('a'), 0, {
      signal: closing.signal,
      idle: (position) => {
        positions.push(position);
        return due ? [{ position, topic: 'bookmark' }] : null;
      },
    });
    const next = stream.next();
    add('b');
    await vi.waitFor(() => expect(positions).toEqual([0]));
    due = true;
    broadcast.tick();
    expect((await next).value).toEqual([{ position: 1, topic: 'bookmark' }]);
    closing.abort();
    await stream.return(0);
    await feed.close();
  });

  test('a batch of large entries ends at the byte limit, before the limit of values, shared or not', async () => {
    const { feed, add } = await follow([], { factBytes: 100 * 1024 });
    const broadcast = new Broadcast<number, Fact, Fact>(feed, routes);
    for (let n = 0; n < 10; n += 1) add('a');
    const closing = new AbortController();
    const stream = broadcast.follow(only('a'), 0, { signal: closing.signal, idle: () => [] });
    const batches: (readonly Fact[] | number)[] = [];
    for (let n = 0; n < 2; n += 1) batches.push((await stream.next()).value);
    // The rest of these entries, and the entries added from now on.
    for (let n = 0; n < 10; n += 1) add('a');
    for (let n = 0; n < 6; n += 1) batches.push((await stream.next()).value);
    expect(batches.flat().map((fact) => (typeof fact === 'number' ? fact : fact.position))).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    expect(batches.map((batch) => (typeof batch === 'number' ? 0 : batch.length))).toEqual([3, 3, 3, 3, 3, 3, 2, 0]);
    closing.abort();
    await stream.return(0);
    await feed.close();
  });

  test('a follower that limits the bytes receives the position at which they end', async () => {
    const { feed, add } = await follow([], { factBytes: 10 });
    const broadcast = new Broadcast<number, Fact, Fact>(feed, routes);
    for (const topic of ['a', 'b', 'a', 'a', 'b']) add(topic);
    const before = broadcast.join(only('a'));
    for (const topic of ['a', 'b', 'a', 'a', 'b']) add(topic);
    expect(before.after(0, 100, 15)).toMatchObject({ items: [{ position: 1 }, { position: 3 }], upTo: 3 });
    expect(before.after(5, 100, 15)).toMatchObject({ items: [{ position: 6 }, { position: 8 }], upTo: 8 });
    expect(before.after(8, 100, 15)).toMatchObject({ items: [{ position: 9 }], upTo: 10 });
    expect(before.after(8, 1, 15)).toMatchObject({ items: [{ position: 9 }], upTo: 10 });
    before.leave();
    await feed.close();
  });

  test('no item is held for followers that left, and none for long for followers without new items', async () => {
    const { feed, add } = await follow([], { maxEntries: 4 });
    const broadcast = new Broadcast<number, Fact, Fact>(feed, routes);
    const alive = new Set<number>();
    const freed = new FinalizationRegistry<number>((position) => alive.delete(position));
    /** A projection whose items are tracked until they are collected. */
    const watched = (topic: string): Projection<Fact, Fact> => ({
      ...only(topic),
      project: (fact) => {
        const item = { ...fact };
        alive.add(fact.position);
        freed.register(item, fact.position);
        return item;
      },
    });
    const leaver = broadcast.join(watched('a'));
    const idler = broadcast.join(watched('b'));
    add('a');
    add('b');
    leaver.leave();
    for (let n = 0; n < 12; n += 1) add('c');
    await vi.waitFor(() => {
      collectGarbage();
      expect(alive.size).toBe(0);
    });
    idler.leave();
    await feed.close();
  });

  test('a stream of a follower ends when the feed is closed', async () => {
    const { feed } = await follow([]);
    const broadcast = new Broadcast<number, Fact, Fact>(feed, routes);
    const asked = vi.fn(() => null);
    const next = broadcast.follow(everything, 0, { signal: new AbortController().signal, idle: asked }).next();
    await vi.waitFor(() => expect(asked).toHaveBeenCalled());
    await feed.close();
    expect(await next).toEqual({ done: true, value: 0 });
  });
});
