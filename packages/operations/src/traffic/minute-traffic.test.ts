// Who talked to whom, in bounded memory: nothing that was counted is lost, and the rarest edges are given up.
import { LIMITS } from '@hypercode/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MinuteTraffic } from './minute-traffic.ts';

const GROUP = { kind: 'group', name: 'crew' } as const;
const STREAM = { kind: 'stream', name: 'crew' } as const;

test('edges of the same source, topic and reader are one', () => {
  const traffic = new MinuteTraffic();
  traffic.add('/agents/n/a', 'x.y', GROUP, 1);
  traffic.add('/agents/n/a', 'x.y', GROUP, 2);
  traffic.add('/agents/n/a', 'x.y', STREAM, 4);
  traffic.add('/agents/n/b', 'x.y', GROUP, 8);
  expect(traffic.toStored()).toEqual({
    edges: [
      ['/agents/n/a', 'x.y', 'group', 'crew', 3],
      ['/agents/n/a', 'x.y', 'stream', 'crew', 4],
      ['/agents/n/b', 'x.y', 'group', 'crew', 8],
    ],
    other: 0,
  });
});

test("topics beyond a source's hundredth are counted under their first two tokens", () => {
  const traffic = new MinuteTraffic();
  for (let index = 0; index < 100; index += 1) traffic.add('s', `first.${index}`, GROUP, 1);
  for (const topic of ['a.b.c', 'a.b.d.e', 'a.b', 'a', 'first.7']) traffic.add('s', topic, GROUP, 1);
  const counts = new Map(traffic.toStored().edges.map(([, topic, , , count]) => [topic, count]));
  expect(counts.size).toBe(102);
  expect([counts.get('a.b.>'), counts.get('a.>'), counts.get('first.7')]).toEqual([3, 1, 2]);
});

test('of one source the 200 commonest edges are kept, and the others are counted together', () => {
  const traffic = new MinuteTraffic();
  const count = 1000;
  for (let index = 0; index < count; index += 1) traffic.add('s', 't', { kind: 'stream', name: `r${index}` }, 1);
  for (let index = 0; index < 50; index += 1) traffic.add('s', 't', { kind: 'stream', name: `loud${index}` }, 100);
  const { edges, other } = traffic.toStored();
  expect(edges).toHaveLength(LIMITS.trafficEdgesOfSource);
  expect(edges.filter(([, , , name]) => name.startsWith('loud'))).toHaveLength(50);
  expect(other).toBe(count + 5000 - edges.reduce((sum, edge) => sum + edge[4], 0));
});

test('of a namespace the 10,000 commonest edges are kept', () => {
  const traffic = new MinuteTraffic();
  for (let index = 0; index < 30_000; index += 1) traffic.add(`s${index % 300}`, `t.${index}`, GROUP, 1 + (index % 7));
  expect(traffic.size).toBeLessThan(2 * LIMITS.trafficEdges);
  const { edges } = traffic.toStored();
  expect(edges.length).toBeLessThanOrEqual(LIMITS.trafficEdges);
});

test('whatever is counted, the sum of all edges and the rest is what was counted', () => {
  const added = fc.record({
    source: fc.constantFrom('a', 'b'),
    topic: fc.integer({ max: 150, min: 0 }).map((index) => `t.${index}`),
    name: fc.integer({ max: 20, min: 0 }).map(String),
    count: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(added, { maxLength: 3000, minLength: 1000 }), (all) => {
      const traffic = new MinuteTraffic();
      for (const { source, topic, name, count } of all) traffic.add(source, topic, { kind: 'group', name }, count);
      const { edges, other } = traffic.toStored();
      expect(other + edges.reduce((sum, edge) => sum + edge[4], 0)).toBe(
        all.reduce((sum, { count }) => sum + count, 0),
      );
    }),
    { numRuns: 20 },
  );
});
