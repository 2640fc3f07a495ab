import type { TrafficEdge } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { topicTrafficOf } from './topic-traffic.ts';

const edge = (topic: string, count: number): TrafficEdge => ({
  ...{ source: '/agents/default/ada', topic, reader: { kind: 'group', name: 'g' }, count },
});

test('a step has what the windows that end now differ by, a minute', () => {
  const windows = [[edge('a.b', 90)], [edge('a.b', 60)], [edge('a.b', 30)], [edge('a.b', 10)]];
  expect(topicTrafficOf(windows).get('a.b')).toEqual({ perMinute: [1, 2, 2, 2], sum: 90 });
});

test('each beginning of a topic has all under it, also what the core counted together', () => {
  const traffic = topicTrafficOf([[edge('a.b.c', 2), edge('a.d', 3), edge('a.b.>', 4)], [], [], []]);
  const sums = ['a', 'a.b', 'a.b.c', 'a.d'].map((path) => traffic.get(path)?.sum);
  expect(sums).toEqual([9, 6, 2, 3]);
  expect(traffic.has('a.b.>')).toBe(false);
});

test('a topic that comes while the windows are read is never less than nothing', () => {
  expect(topicTrafficOf([[edge('a', 1)], [edge('a', 2)], [], []]).get('a')?.perMinute).toEqual([0, 2 / 15, 0, 0]);
});
