import { expect, test } from 'vitest';
import { openNodes, patternOf, topicTree } from './topic-tree.ts';

const topic = (name: string, count: number) => ({ topic: name, count, perSecond: count / 10, lastPosition: '1' });

test('counts of topics add up in what they begin with', () => {
  const [build, other] = topicTree([
    topic('build.done', 3),
    topic('build.done.late', 1),
    topic('build.failed', 2),
    topic('x', 9),
  ]);
  expect(build).toMatchObject({ path: 'build', count: 6, isTopic: false });
  expect(build?.children.map(({ path, count, isTopic }) => [path, count, isTopic])).toEqual([
    ['build.done', 4, true],
    ['build.failed', 2, true],
  ]);
  expect(other).toMatchObject({ path: 'x', depth: 0, isTopic: true });
});

test('only what is open is in sight, and a node filters by what is under it', () => {
  const roots = topicTree([topic('a.b.c', 1), topic('a.d', 1)]);
  expect(openNodes(roots, new Set()).map(({ path }) => path)).toEqual(['a']);
  const all = openNodes(roots, new Set(['a', 'a.b']));
  expect(all.map(({ path, depth }) => [path, depth])).toEqual([
    ['a', 0],
    ['a.b', 1],
    ['a.b.c', 2],
    ['a.d', 1],
  ]);
  expect(all.map(patternOf)).toEqual(['a.>', 'a.b.>', 'a.b.c', 'a.d']);
  // The nodes of closed parents stay out of sight.
  expect(openNodes(roots, new Set(['a.b'])).map(({ path }) => path)).toEqual(['a']);
});
