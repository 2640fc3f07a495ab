// Followers of one feed: each hears what its projection lets through, in order, once, however it dawdles.
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { Broadcast, type Projection } from './broadcast.ts';
import { Feed, type Log } from './feed.ts';

interface Fact {
  readonly position: number;
  readonly topic: string;
}

/** A log in memory, to be followed; what a store's driver is to the real one. */
async function follow(facts: Fact[], maxEntries = 1000) {
  const log: Log<number, Fact> = {
    read: async (position, limit) => facts.filter((fact) => fact.position > position).slice(0, limit),
    begin: async () => 0,
    compare: (a, b) => a - b,
    sizeOf: () => 1,
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
  hears: (route) => route === topic,
  project: (fact) => (fact.topic === topic ? fact : null),
});
const everything: Projection<Fact, Fact> = { key: '', project: (fact) => fact };

const routes = { routeOf: ({ topic }: Fact) => topic };

describe('Broadcast', () => {
  test('a follower hears exactly what it would find in the log, whenever it comes and however it dawdles', async () => {
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
        const { feed, add } = await follow(facts, maxEntries);
        const broadcast = new Broadcast<number, Fact, Fact>(feed, routes);
        const projections = [only('a'), only('b'), only('a'), everything];
        const followers = projections.map((projection) => ({
          projection,
          follower: broadcast.join(projection),
          position: 0,
          heard: [] as Fact[],
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
          const told = who.follower.after(who.position, step.limit);
          // What the ring has let go of is read from the log.
          const { heard, upTo } = told ?? {
            heard: facts
              .filter(({ position }) => position > who.position)
              .filter((fact) => who.projection.project(fact) !== null),
            upTo: feed.end,
          };
          expect(heard.length).toBeLessThanOrEqual(told === null ? Infinity : step.limit);
          who.heard.push(...heard);
          expect(upTo).toBeGreaterThanOrEqual(who.position);
          who.position = upTo;
        }
        for (const { projection, position, heard } of followers) {
          const expected = facts.filter((fact) => fact.position <= position && projection.project(fact) !== null);
          expect(heard).toEqual(expected);
        }
        await feed.close();
      }),
      { numRuns: 200 },
    );
  });

  test('what is heard is found behind any number of entries that are not, also by one who came after them', async () => {
    const { feed, add } = await follow([]);
    for (let n = 0; n < 300; n += 1) add('a');
    const follower = new Broadcast<number, Fact, Fact>(feed, routes).join(only('b'));
    expect(follower.after(0, 1)).toEqual({ heard: [], upTo: 300 });
    add('b');
    expect(follower.after(0, 1)).toEqual({ heard: [{ position: 301, topic: 'b' }], upTo: 301 });
    add('a');
    expect(follower.after(0, 2)).toEqual({ heard: [{ position: 301, topic: 'b' }], upTo: 302 });
    follower.leave();
    await feed.close();
  });

  test('those who hear the same are handed the same batch, and the others are not woken', async () => {
    const { feed, add } = await follow([]);
    const broadcast = new Broadcast<number, Fact, Fact>(feed, routes);
    const over = new AbortController();
    const asked = vi.fn(() => null);
    const streams = [only('a'), only('a'), only('b')].map((projection) =>
      broadcast.follow(projection, 0, { signal: over.signal, idle: asked }),
    );
    const [first, second, third] = streams.map((stream) => stream.next());
    await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(3));
    add('a');
    const [one, two] = [await first, await second];
    expect(one?.value).toEqual([{ position: 1, topic: 'a' }]);
    expect(two?.value).toBe(one?.value);
    expect(asked).toHaveBeenCalledTimes(3);
    over.abort();
    expect(await third).toEqual({ done: true, value: 0 });
    await feed.close();
  });

  test('an idle follower says what it has to say when it is stirred, at the newest position', async () => {
    const { feed, add } = await follow([]);
    const broadcast = new Broadcast<number, Fact, Fact>(feed, routes);
    const over = new AbortController();
    const positions: number[] = [];
    let due = false;
    const stream = broadcast.follow(only('a'), 0, {
      signal: over.signal,
      idle: (position) => {
        positions.push(position);
        return due ? [{ position, topic: 'bookmark' }] : null;
      },
    });
    const next = stream.next();
    add('b');
    await vi.waitFor(() => expect(positions).toEqual([0]));
    due = true;
    broadcast.stir();
    expect((await next).value).toEqual([{ position: 1, topic: 'bookmark' }]);
    over.abort();
    await stream.return(0);
    await feed.close();
  });

  test('followers leave when the feed is closed', async () => {
    const { feed } = await follow([]);
    const broadcast = new Broadcast<number, Fact, Fact>(feed, routes);
    const asked = vi.fn(() => null);
    const next = broadcast.follow(everything, 0, { signal: new AbortController().signal, idle: asked }).next();
    await vi.waitFor(() => expect(asked).toHaveBeenCalled());
    await feed.close();
    expect(await next).toEqual({ done: true, value: 0 });
  });
});
