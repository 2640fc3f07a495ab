// What a watcher receives of a change: the truth table, and a model that follows by it.
import type { Agent, AgentFilter, ChangeType } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesFilter } from '../agents/agent-filter.ts';
import { agentOf, agents, filters } from '../../test/agents/sample-agents.ts';
import type { Change } from '../changes/change.ts';
import { bookmarkItem, itemOf, SnapshotItem, syncedItem, type Meaning, meaningOf } from './project.ts';

const inside = agentOf({ role: 'coder' });
const outside = agentOf({ role: 'planner' });
const filter: AgentFilter = { role: 'coder' };

const changeOf = (change: ChangeType, before: Agent | null, after: Agent, position = 7): Change => ({
  position,
  change,
  before,
  after,
  at: '2026-01-01T00:00:00.000Z',
});

describe('meaningOf', () => {
  test.each<[ChangeType, string, Agent | null, Agent, Meaning | null]>([
    ['registered', 'absent → in', null, inside, 'as-is'],
    ['registered', 'absent → out', null, outside, null],
    ['updated', 'in → in', inside, inside, 'as-is'],
    ['updated', 'out → in', outside, inside, 'begins'],
    ['updated', 'in → out', inside, outside, 'left'],
    ['updated', 'out → out', outside, outside, null],
    ['status', 'in → in', inside, inside, 'as-is'],
    ['status', 'out → in', outside, inside, 'begins'],
    ['status', 'in → out', inside, outside, 'left'],
    ['status', 'out → out', outside, outside, null],
    ['deregistered', 'in → gone', inside, inside, 'as-is'],
    ['deregistered', 'out → gone', outside, outside, null],
    // The last state may differ from the one before: what the watcher has received decides.
    ['deregistered', 'in → gone, last seen out', inside, outside, 'as-is'],
    ['expired', 'in → gone', inside, inside, 'as-is'],
    ['expired', 'out → gone', outside, outside, null],
    ['expired', 'out → gone, last seen in', outside, inside, null],
  ])('%s, %s', (change, _, before, after, expected) => {
    expect(meaningOf(changeOf(change, before, after), filter)).toBe(expected);
  });

  test('a watcher without a filter receives every change as it is', () => {
    for (const change of ['updated', 'status', 'deregistered', 'expired'] as const) {
      expect(meaningOf(changeOf(change, inside, outside), {})).toBe('as-is');
    }
    expect(meaningOf(changeOf('registered', null, inside), {})).toBe('as-is');
  });
});

/** A watcher that knows only the events that it receives, and throws when an event contradicts them. */
function receive(known: Map<string, Agent>, change: Change, by: AgentFilter): void {
  const meaning = meaningOf(change, by);
  if (meaning === null) return;
  const { event } = itemOf(change, meaning, 'full');
  if (event.type !== 'change') throw new Error(`a change is received as ${event.type}`);
  const { name } = event.agent;
  const mustBeKnown = meaning === 'left' || (meaning === 'as-is' && event.change !== 'registered');
  if (known.has(name) !== mustBeKnown) throw new Error(`${event.change} (${meaning}) of ${name}`);
  if (['left', 'deregistered', 'expired'].includes(event.change)) known.delete(name);
  else known.set(name, event.agent);
}

test('a watcher that follows what changes mean to it knows exactly the agents that match', () => {
  const names = fc.constantFrom('ada', 'eve', 'bob');
  const steps = fc.array(fc.record({ name: names, next: fc.option(agents, { freq: 3 }), status: fc.boolean() }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(steps, filters, (list, by) => {
      const store = new Map<string, Agent>();
      const known = new Map<string, Agent>();
      for (const [index, { name, next, status }] of list.entries()) {
        const before = store.get(name) ?? null;
        if (before === null && next === null) continue;
        const after = next === null ? agentOf(before ?? {}) : { ...next, name };
        const change: ChangeType =
          next === null
            ? status
              ? 'expired'
              : 'deregistered'
            : before === null
              ? 'registered'
              : status
                ? 'status'
                : 'updated';
        if (next === null) store.delete(name);
        else store.set(name, after);
        receive(known, changeOf(change, before, after, index + 1), by);
        const matching = [...store].filter(([, agent]) => matchesFilter(agent, by));
        expect(Object.fromEntries(known)).toEqual(Object.fromEntries(matching));
      }
    }),
  );
});

const LONG = { id: 'plan', tags: ['t'], description: 'd', inputSchema: { type: 'object' } };

describe('items', () => {
  const change = changeOf('status', inside, inside);

  test('watchers to which a change is the same receive one object', () => {
    expect(itemOf(change, 'as-is', 'full')).toBe(itemOf(change, 'as-is', 'full'));
    expect(itemOf(change, 'left', 'full')).not.toBe(itemOf(change, 'as-is', 'full'));
  });

  test('watchers of summaries share one object, with no topics and no schemas', () => {
    const after = agentOf({ topics: { publishes: ['a'], subscribes: [] }, capabilities: [LONG] });
    const long = changeOf('updated', inside, after);
    const item = itemOf(long, 'as-is', 'summary');
    expect(itemOf(long, 'as-is', 'summary')).toBe(item);
    expect(JSON.parse(item.json)).toMatchObject({ agent: { capabilities: [{ id: 'plan', tags: ['t'] }] } });
    expect(item.json).not.toMatch(/topics|Schema|description":"d/);
    expect(itemOf(long, 'as-is', 'full').event).toMatchObject({ agent: after });
  });

  test.each<[Meaning, string]>([
    ['as-is', 'status'],
    ['begins', 'updated'],
    ['left', 'left'],
  ])('a change that is %s is received as %s', (meaning, received) => {
    const { position: revision, after: agent, at } = change;
    expect(itemOf(change, meaning, 'full')).toEqual({
      id: '7',
      event: { type: 'change', revision, change: received, agent, at },
    });
  });

  test('items carry the id to resume from', () => {
    expect(syncedItem(3)).toEqual({ id: '3', event: { type: 'synced', revision: 3 } });
    expect(bookmarkItem(4)).toEqual({ id: '4', event: { type: 'bookmark', revision: 4 } });
    const chunk = { type: 'snapshot', revision: 5, agents: [inside], reset: true };
    const rows = [{ doc: inside, last_seen_at: null, liveness: null }];
    const item = new SnapshotItem(5, rows, { view: 'full', reset: true, coreLeaseMs: inside.leaseMs });
    expect([item.id, item.type, item.event, item.json]).toEqual(['snapshot', 'snapshot', chunk, JSON.stringify(chunk)]);
  });
});
