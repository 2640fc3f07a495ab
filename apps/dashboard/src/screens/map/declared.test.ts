import { expect, test } from 'vitest';
import { declaredAndUsed } from './declared.ts';

const agent = (name: string, publishes: string[], subscribes: string[]) => ({
  name,
  role: 'worker',
  topics: { publishes, subscribes },
});
const edge = (from: string, topic: string, kind: 'group' | 'stream', name: string) => ({
  source: `/agents/default/${from}`,
  topic,
  reader: { kind, name },
  count: 4,
});

test('a declared pattern without an event is silent, and a used topic that no pattern covers is not declared', () => {
  const agents = [agent('ada', ['build.*', 'note.>'], []), agent('bob', [], ['build.done'])];
  const { silent, undeclared } = declaredAndUsed(agents, [
    edge('ada', 'build.done', 'stream', 'bob'),
    edge('ada', 'gossip.heard', 'stream', 'bob'),
  ]);
  expect(silent).toEqual([{ agent: 'ada', direction: 'publishes', topic: 'note.>', count: 0 }]);
  expect(undeclared).toEqual([
    { agent: 'ada', direction: 'publishes', topic: 'gossip.heard', count: 4 },
    { agent: 'bob', direction: 'subscribes', topic: 'gossip.heard', count: 4 },
  ]);
});

test('topics that are counted together are within a pattern that covers all of them, and wake one that covers some', () => {
  const { silent, undeclared } = declaredAndUsed(
    [agent('ada', ['a.b.>'], []), agent('bob', ['a.b.c.d'], [])],
    [edge('ada', 'a.b.>', 'stream', 'x'), edge('bob', 'a.b.>', 'stream', 'x')],
  );
  expect(silent).toEqual([]);
  expect(undeclared.map((one) => one.agent)).toEqual(['bob']);
});

test('a group with the name of an agent or of its role receives for the agent', () => {
  const agents = [agent('ada', [], ['a.b'])];
  for (const group of ['ada', 'worker', 'worker-late'])
    expect(declaredAndUsed(agents, [edge('x', 'a.b', 'group', group)])).toEqual({ silent: [], undeclared: [] });
  expect(declaredAndUsed(agents, [edge('x', 'a.b', 'group', 'others')]).silent).toHaveLength(1);
});
