import type { Agent, WatchEvent } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyDifferences, applyWatchEvent, type Difference, type Mirror } from './mirror.ts';

const agentAt = (name: string, revision: number): Agent => ({
  id: '01890000-0000-7000-8000-000000000000',
  namespace: 'default',
  name,
  role: 'worker',
  version: '1.0.0',
  description: null,
  healthUrl: null,
  topics: { publishes: [], subscribes: [] },
  capabilities: [],
  labels: {},
  incarnation: null,
  status: {
    health: 'unknown',
    activity: 'ready',
    activitySince: '2026-01-01T00:00:00.000Z',
    note: null,
    circuit: 'closed',
    circuitOpenUntil: null,
    consecutiveFailures: 0,
    lastSeenAt: null,
    reason: null,
  },
  leaseMs: 30_000,
  revision,
  specRevision: revision,
  registeredAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
});

/** A mirror that is driven by events, with every difference that it reported. */
class Driven {
  agents = new Map<string, Agent>();
  reported: Difference[] = [];
  state: Omit<Mirror, 'agents'> = { revision: 0, synced: false, collected: null };

  feed(...events: WatchEvent[]): this {
    for (const event of events) {
      const { differences, revision, synced, collected } = applyWatchEvent(
        { ...this.state, agents: this.agents },
        event,
      );
      this.state = { revision, synced, collected };
      this.reported.push(...differences);
      applyDifferences(this.agents, differences);
    }
    return this;
  }

  get revisions(): [string, number][] {
    return revisionsOf(this.agents);
  }
}

const revisionsOf = (agents: Map<string, Agent>): [string, number][] =>
  [...agents]
    .map(([name, { revision }]): [string, number] => [name, revision])
    .toSorted(([a], [b]) => (a < b ? -1 : 1));

const snapshot = (revision: number, agents: Agent[], reset = false): WatchEvent => ({
  type: 'snapshot',
  revision,
  agents,
  reset,
});
const change = (
  revision: number,
  name: string,
  kind: Extract<WatchEvent, { type: 'change' }>['change'] = 'updated',
): WatchEvent => ({
  type: 'change',
  revision,
  change: kind,
  agent: agentAt(name, revision),
  at: '2026-01-01T00:00:00.000Z',
});
const synced = (revision: number): WatchEvent => ({ type: 'synced', revision });

describe('a mirror', () => {
  test('is empty until the first snapshot is whole', () => {
    const mirror = new Driven().feed(snapshot(3, [agentAt('a', 1)]), snapshot(3, [agentAt('b', 3)]));
    expect(mirror.revisions).toEqual([]);
    mirror.feed(synced(3));
    expect(mirror.revisions).toEqual([
      ['a', 1],
      ['b', 3],
    ]);
    expect(mirror.reported.map(({ kind }) => kind)).toEqual(['added', 'added']);
    expect(mirror.state).toMatchObject({ revision: 3, synced: true });
  });

  test('emits only the differences when a snapshot replaces it', () => {
    const mirror = new Driven().feed(snapshot(3, [agentAt('a', 1), agentAt('b', 2), agentAt('c', 3)]), synced(3));
    mirror.reported = [];
    mirror.feed(snapshot(9, [agentAt('a', 1), agentAt('b', 8)], true), snapshot(9, [agentAt('d', 9)], true), synced(9));
    expect(mirror.reported.map(({ kind, agent }) => [kind, agent.name])).toEqual([
      ['removed', 'c'],
      ['changed', 'b'],
      ['added', 'd'],
    ]);
    expect(mirror.reported.find(({ kind }) => kind === 'changed')).toMatchObject({ previous: { revision: 2 } });
  });

  test('forgets the chunks of a snapshot that was begun anew', () => {
    const mirror = new Driven().feed(
      snapshot(3, [agentAt('a', 1)]),
      snapshot(5, [agentAt('b', 5)], true),
      snapshot(5, [agentAt('c', 4)], true),
      synced(5),
    );
    expect(mirror.revisions).toEqual([
      ['b', 5],
      ['c', 4],
    ]);
  });

  test('drops an agent that left, was deregistered, or expired', () => {
    const mirror = new Driven().feed(
      snapshot(
        3,
        ['a', 'b', 'c', 'd'].map((name) => agentAt(name, 1)),
      ),
      synced(3),
    );
    mirror.feed(
      change(4, 'a', 'left'),
      change(5, 'b', 'deregistered'),
      change(6, 'c', 'expired'),
      change(7, 'x', 'left'),
    );
    expect(mirror.revisions).toEqual([['d', 1]]);
    expect(mirror.reported.filter(({ kind }) => kind === 'removed')).toHaveLength(3);
    expect(mirror.state.revision).toBe(7);
  });

  test('follows the revision of bookmarks', () => {
    const mirror = new Driven().feed(snapshot(3, []), { type: 'bookmark', revision: 8 });
    expect(mirror.state.revision).toBe(0);
    mirror.feed(synced(3), { type: 'bookmark', revision: 8 });
    expect(mirror.state.revision).toBe(8);
  });
});

describe('by property', () => {
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    act: fc.constantFrom('write', 'write', 'remove'),
    /** What happens to the watch after this change. */
    next: fc.constantFrom('go on', 'go on', 'reset', 'cut snapshot, then reset', 'resume'),
    chunk: fc.integer({ min: 1, max: 3 }),
  });

  const chunksOf = (agents: Agent[], size: number): Agent[][] =>
    agents.length === 0
      ? [[]]
      : Array.from({ length: Math.ceil(agents.length / size) }, (_, i) => agents.slice(i * size, (i + 1) * size));

  test('a mirror equals the model after any snapshots and changes, and its differences add up to it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const model = new Map<string, Agent>();
        const mirror = new Driven().feed(snapshot(0, []), synced(0));
        const replayed = new Map<string, Agent>();
        let revision = 0;
        const wholeSnapshot = (size: number): WatchEvent[] =>
          chunksOf([...model.values()], size).map((agents) => snapshot(revision, agents, true));

        for (const { name, act, next, chunk } of steps) {
          if (act === 'remove' && !model.has(name)) continue;
          revision += 1;
          const kind = act === 'remove' ? 'deregistered' : model.has(name) ? 'updated' : 'registered';
          if (act === 'remove') model.delete(name);
          else model.set(name, agentAt(name, revision));

          if (next === 'go on') mirror.feed(change(revision, name, kind));
          if (next === 'resume') mirror.feed(change(revision, name, kind), synced(revision));
          if (next === 'reset') mirror.feed(...wholeSnapshot(chunk), synced(revision));
          if (next === 'cut snapshot, then reset') {
            mirror.feed(...wholeSnapshot(chunk).slice(0, -1));
            const extra = 'late';
            revision += 1;
            model.set(extra, agentAt(extra, revision));
            mirror.feed(...wholeSnapshot(chunk), synced(revision));
          }
          expect(mirror.revisions).toEqual(revisionsOf(model));
          expect(mirror.state.revision).toBe(revision);
        }
        for (const { kind, agent } of mirror.reported) {
          expect(replayed.has(agent.name)).toBe(kind !== 'added');
          applyDifferences(replayed, [{ kind: kind === 'removed' ? 'removed' : 'added', agent }]);
        }
        expect(revisionsOf(replayed)).toEqual(revisionsOf(model));
      }),
    );
  });

  test('the step is pure', () => {
    const agents = new Map([['a', agentAt('a', 1)]]);
    const before: Mirror = { agents, revision: 1, synced: true, collected: null };
    const frozen = structuredClone(before);
    for (const event of [change(2, 'a'), change(2, 'b'), snapshot(4, [agentAt('c', 4)]), synced(5)]) {
      applyWatchEvent(before, event);
      expect(before).toEqual(frozen);
    }
  });
});
