// What a replica reports of the streams that are open on it.
import { describe, expect, test } from 'vitest';
import { LiveStreams, type StreamOwner } from './live-streams.ts';

const at = (seq: number) => ({ epoch: 'log', seq, nonce: seq });
const ada: StreamOwner = { kind: 'agent', caller: '/agents/here/ada', role: 'worker', topics: ['a.*', 'b'] };
const agent = (name: string): StreamOwner => ({ ...ada, caller: `/agents/here/${name}` });

function opened(owners: readonly StreamOwner[], namespace = 'here', live = new LiveStreams()) {
  const streams = owners.map((owner) => live.open(namespace, owner));
  for (const stream of streams) stream.began(at(3));
  return { live, streams };
}

describe('the audiences of a replica', () => {
  test('are streams of one kind and role with the same topics, in whatever order', () => {
    const { live } = opened([
      ada,
      { ...agent('eve'), topics: ['b', 'a.*'] },
      { ...agent('bob'), role: 'boss' },
      { kind: 'operator', caller: '/operators/ops', role: null, topics: ['a.*', 'b'] },
    ]);
    expect(live.of('here').map(({ kind, role, topics, streams }) => [kind, role, topics, streams])).toEqual([
      ['agent', 'worker', ['a.*', 'b'], 2],
      ['agent', 'boss', ['a.*', 'b'], 1],
      ['operator', null, ['a.*', 'b'], 1],
    ]);
    expect(live.of('elsewhere')).toEqual([]);
  });

  test('have a stream from when it has begun until it leaves, with how far it has come', () => {
    const live = new LiveStreams();
    const stream = live.open('here', ada);
    expect(live.of('here')).toEqual([]);
    stream.reached(at(9));
    stream.began(at(3));
    const caller = { caller: '/agents/here/ada', since: 'log-3-3', cursor: 'log-3-3' };
    expect(live.of('here')).toMatchObject([{ streams: 1, callers: [caller] }]);
    stream.reached({ id: 'log-4-4' });
    expect(live.of('here')).toMatchObject([{ callers: [{ since: 'log-3-3', cursor: 'log-4-4' }] }]);
    stream.reached(at(5));
    expect(live.of('here')).toMatchObject([{ callers: [{ cursor: 'log-5-5' }] }]);
    stream.leave();
    expect(live.of('here')).toEqual([]);
    expect(live.report().size).toBe(0);
  });

  test('a stream that ends before it has begun was never there', () => {
    const live = new LiveStreams();
    live.open('here', ada).leave();
    expect(live.report().size).toBe(0);
  });

  test('name five callers, each once before any twice', () => {
    const many = opened([ada, ada, ada, ...['b', 'c', 'd', 'e', 'f'].map(agent)]).live.of('here');
    expect(many).toMatchObject([{ streams: 8 }]);
    const names = many.flatMap(({ callers }) => callers.map(({ caller }) => caller.replace('/agents/here/', '')));
    expect(names).toEqual(['ada', 'b', 'c', 'd', 'e']);
    const few = opened([ada, agent('b'), ada, ada]).live.of('here');
    expect(few.flatMap(({ callers }) => callers.map(({ caller }) => caller))).toEqual([
      '/agents/here/ada',
      '/agents/here/b',
      '/agents/here/ada',
      '/agents/here/ada',
    ]);
  });

  test('are reported up to a number over all namespaces, and the streams of the others are counted', () => {
    const { live } = opened([ada, { ...ada, topics: ['c'] }]);
    opened(
      [
        { ...ada, topics: ['d'] },
        { ...ada, topics: ['d'] },
        { ...ada, topics: ['e'] },
      ],
      'there',
      live,
    );
    const report = live.report(3);
    expect(report.get('here')).toMatchObject({ audiences: [{ topics: ['a.*', 'b'] }, { topics: ['c'] }], omitted: 0 });
    expect(report.get('there')).toMatchObject({ audiences: [{ topics: ['d'], streams: 2 }], omitted: 1 });
    expect(live.report(1).get('there')).toEqual({ audiences: [], omitted: 3 });
  });
});
