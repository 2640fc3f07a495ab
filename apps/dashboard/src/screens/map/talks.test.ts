import { expect, test } from 'vitest';
import { partiesOf, partyOfSource, talksOf } from './talks.ts';

const edge = (source: string, topic: string, kind: 'group' | 'stream', name: string, count: number) => ({
  source,
  topic,
  reader: { kind, name },
  count,
});

test('a source is an agent, an operator with its name as it was given, or the core', () => {
  expect(partyOfSource('/agents/default/ada')).toEqual({ key: 'agent:ada', kind: 'agent', name: 'ada' });
  expect(partyOfSource('/operators/on%20duty')).toMatchObject({ kind: 'operator', name: 'on duty' });
  expect(partyOfSource('/operators/50%')).toMatchObject({ kind: 'operator', name: '50%' });
  expect(partyOfSource('/core')).toMatchObject({ kind: 'core' });
});

test('edges of the same two parties are one talk, whatever the topic, and the busiest is the first', () => {
  const { talks, senders, readers, most } = talksOf([
    edge('/agents/default/ada', 'a.b', 'stream', 'bob', 2),
    edge('/agents/default/ada', 'a.c', 'stream', 'bob', 3),
    edge('/agents/default/bob', 'a.b', 'group', 'bob', 9),
  ]);
  expect(talks.map(({ key, count }) => [key, count])).toEqual([
    ['agent:bob>group:bob', 9],
    ['agent:ada>agent:bob', 5],
  ]);
  expect(talks[1]?.topics.map(({ topic }) => topic)).toEqual(['a.c', 'a.b']);
  expect(senders.map(({ key }) => key)).toEqual(['agent:bob', 'agent:ada']);
  expect(readers.map(({ key }) => key)).toEqual(['group:bob', 'agent:bob']);
  expect(most).toBe(9);
  expect(partiesOf(talksOf([edge('/agents/default/a', 't', 'stream', 'a', 1)]))).toHaveLength(1);
});

test('a text finds names and topics', () => {
  const edges = [
    edge('/agents/default/ada', 'build.done', 'stream', 'bob', 2),
    edge('/core', 'system.agent.left', 'stream', '/operators/eve', 1),
  ];
  expect(talksOf(edges, 'Build').talks.map(({ key }) => key)).toEqual(['agent:ada>agent:bob']);
  expect(talksOf(edges, 'eve').talks.map(({ key }) => key)).toEqual(['core:core>operator:eve']);
  expect(talksOf(edges, 'nobody')).toMatchObject({ talks: [], most: 0 });
});
