// Counting reads by the numbers of their origins: nothing is lost when numbers begin anew.
import { HeldClock } from '@hypercode/clock/testing';
import { expect, test } from 'vitest';
import { TrafficTally } from './traffic.ts';

const countsOf = (tally: TrafficTally): Record<string, number> =>
  Object.fromEntries(
    tally
      .take({ isLast: true })
      .flatMap(({ edges }) => edges.map(([source, topic, , name, count]) => [`${source} ${topic} ${name}`, count])),
  );

test('readers of one array are counted each, and nothing is counted twice', () => {
  const tally = new TrafficTally(new HeldClock());
  const [one, two] = ['r1', 'r2'].map((name) => tally.reader('n', { kind: 'stream', name }));
  const shared = [
    { source: 's', topic: 'a' },
    { source: 's', topic: 'b' },
    { source: 's', topic: 'a' },
  ];
  for (const count of [one, two, one]) count?.(shared);
  expect(countsOf(tally)).toEqual({ 's a r1': 4, 's b r1': 2, 's a r2': 2, 's b r2': 1 });
  expect(tally.take({ isLast: true })).toEqual([]);
  two?.(shared);
  // A minute is given as a whole.
  expect(countsOf(tally)).toEqual({ 's a r1': 4, 's b r1': 2, 's a r2': 4, 's b r2': 2 });
});

test('more origins than have numbers are all counted', () => {
  const tally = new TrafficTally(new HeldClock());
  const count = tally.reader('n', { kind: 'group', name: 'g' });
  const shared = [{ source: 'first', topic: 't' }];
  count(shared);
  for (let index = 0; index < 5000; index += 1) count([{ source: `s${index % 2500}`, topic: 't' }]);
  count(shared);
  const counts = countsOf(tally);
  expect(Object.keys(counts)).toHaveLength(2501);
  expect([counts['first t g'], counts['s7 t g'], counts['s2499 t g']]).toEqual([2, 2, 2]);
});
