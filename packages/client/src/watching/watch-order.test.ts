import type { WatchEvent } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admitWatchEvent, watchStart } from './watch-order.ts';

const snapshot = (revision: number, reset = false): WatchEvent => ({ type: 'snapshot', revision, agents: [], reset });
const synced = (revision: number): WatchEvent => ({ type: 'synced', revision });
const bookmark = (revision: number): WatchEvent => ({ type: 'bookmark', revision });
// The order of events does not depend on the agent, so one will do.
const change = (revision: number): WatchEvent =>
  ({ type: 'change', revision, change: 'updated', agent: {}, at: '2026-01-01T00:00:00.000Z' }) as unknown as WatchEvent;

/** What a watcher receives of these events, given as one list for each connection. */
function received(connections: WatchEvent[][], since?: number): WatchEvent[] {
  let progress = watchStart(since);
  return connections.flatMap((events, index) =>
    events.flatMap((event) => {
      const step = admitWatchEvent(progress, event, index + 1);
      progress = step.progress;
      return step.event === null ? [] : [step.event];
    }),
  );
}

const resets = (events: WatchEvent[]): boolean[] =>
  events.flatMap((event) => (event.type === 'snapshot' ? [event.reset] : []));

describe('changes', () => {
  test('are yielded once and in order', () => {
    const events = received([
      [snapshot(3), synced(3), change(3), change(4), change(6)],
      [change(4), change(6), change(7), change(5)],
    ]);
    expect(events.map(({ revision }) => revision)).toEqual([3, 3, 4, 6, 7]);
  });

  test('before `since`, a bookmark or `synced` are known already', () => {
    const events = received(
      [[change(4), change(5), change(6), bookmark(9), change(9), change(10), synced(12), change(11)]],
      5,
    );
    expect(events.map(({ type, revision }) => [type, revision])).toEqual([
      ['change', 6],
      ['bookmark', 9],
      ['change', 10],
      ['synced', 12],
    ]);
  });

  test('after a reset to an older revision are yielded', () => {
    const events = received([
      [snapshot(9), synced(9)],
      [snapshot(2, true), synced(2), change(3)],
    ]);
    expect(events.map(({ revision }) => revision)).toEqual([9, 9, 2, 2, 3]);
  });
});

describe('a snapshot', () => {
  test('at the beginning is no reset', () => {
    expect(resets(received([[snapshot(3), snapshot(3), synced(3)]]))).toEqual([false, false]);
  });

  test('that the core calls a reset stays one', () => {
    expect(resets(received([[snapshot(3, true), snapshot(3, true), synced(3)]], 1))).toEqual([true, true]);
  });

  test('that was cut off and begins anew is a reset, in all its chunks', () => {
    expect(resets(received([[snapshot(3)], [snapshot(5), snapshot(5), synced(5)]]))).toEqual([false, true, true]);
    expect(resets(received([[snapshot(3)], [snapshot(3)], [snapshot(3)]]))).toEqual([false, true, true]);
  });

  test('after anything else is a reset', () => {
    expect(resets(received([[synced(3), change(4)], [snapshot(9)]], 2))).toEqual([true]);
    expect(resets(received([[snapshot(3), synced(3), snapshot(9), synced(9)]]))).toEqual([false, true]);
  });
});

test('by property: whatever comes, the changes between two snapshots only go up', () => {
  const revision = fc.nat({ max: 20 });
  const event = fc.oneof(revision.map(change), revision.map(change), revision.map(synced), revision.map(bookmark));
  const rare = fc.oneof({ weight: 9, arbitrary: event }, { weight: 1, arbitrary: revision.map((r) => snapshot(r)) });
  fc.assert(
    fc.property(fc.array(fc.array(rare, { maxLength: 20 }), { maxLength: 6 }), (connections) => {
      const changes = received(connections).map(({ type, revision: at }) => ({ type, at }));
      const lastBefore = (index: number): number =>
        changes.slice(0, index).findLast(({ type }) => type === 'change' || type === 'snapshot')?.at ?? -1;
      const repeated = changes.filter(({ type, at }, index) => type === 'change' && at <= lastBefore(index));
      expect(repeated).toEqual([]);
    }),
  );
});
