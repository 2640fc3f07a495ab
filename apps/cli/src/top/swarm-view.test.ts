import type { AgentSummary, SwarmOverview } from '@hypercode/client';
import { expect, test } from 'vitest';
import { EMPTY_VIEW, rowsOf, type SwarmView, TABS, textOf, TITLES } from './swarm-view.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const given = { filter: '', nowMs: NOW };

const agent = (name: string, status: Partial<AgentSummary['status']> = {}): AgentSummary =>
  ({
    ...{ name, role: 'worker' },
    status: {
      ...{ health: 'healthy', activity: 'ready', note: null, circuit: 'closed', lastSeenAt: null, reason: null },
      ...status,
    },
  }) as AgentSummary;

type Group = SwarmOverview['groups'][number];
const group = (name: string, more: Partial<Group> = {}): Group =>
  ({ group: name, lag: 0, inFlight: 0, waiting: 0, deadLetters: 0, paused: null, ...more }) as Group;

const store = { kind: 'pglite', version: null, ok: true, latencyMs: 1 } as const;
const overview = (groups: readonly Group[], more: Partial<SwarmOverview> = {}): SwarmOverview =>
  ({
    ...{ groups, questions: { open: 0 }, at: '2026-03-01T12:00:00.000Z' },
    cluster: { replicas: [], stores: { database: store, events: store }, suspended: [] },
    ...more,
  }) as unknown as SwarmOverview;

const view = (more: Partial<SwarmView>): SwarmView => ({ ...EMPTY_VIEW, ...more });
const shown = (of: SwarmView): string[] =>
  rowsOf('attention', of, given).map(({ cells }) => cells.map(textOf).join(' | '));

test('a swarm in which all is well needs no attention', () => {
  expect(shown(EMPTY_VIEW)).toEqual([]);
  expect(
    shown(view({ agents: [agent('ada')], overview: overview([group('builders', { inFlight: 2, lag: 3 })]) })),
  ).toEqual([]);
});

test('what needs attention comes the worst first, with why and what to do', () => {
  const agents = [
    agent('blocked', { activity: 'blocked', note: 'needs a key' }),
    agent('open', { circuit: 'open', reason: 'probes failed' }),
    agent('sick', { health: 'unhealthy', reason: 'missed its lease' }),
  ];
  const groups = [
    group('dead', { deadLetters: 2 }),
    group('idle', { lag: 7 }),
    group('paused', { lag: 7, paused: { by: '/operators/eve', at: '2026-03-01T11:00:00.000Z', reason: null } }),
  ];
  const cluster = {
    replicas: [],
    stores: { database: { ...store, ok: false }, events: store },
    suspended: ['default'],
  };
  expect(shown(view({ agents, overview: overview(groups, { cluster, questions: { open: 1 } }) })))
    .toMatchInlineSnapshot(`
    [
      "store of database | pglite does not answer | swarm doctor",
      "namespace default | most agents failed together: no circuit is opened | swarm doctor",
      "group dead | 2 dead letters | swarm dead ls dead",
      "agent open | circuit open: probes failed | swarm circuit reset open",
      "agent sick | missed its lease | swarm agents get sick",
      "agent blocked | blocked: needs a key | swarm agents get blocked",
      "group paused | paused by /operators/eve | swarm groups resume paused",
      "group idle | 7 events behind, and nothing in flight | swarm groups get idle",
      "questions | 1 wait for an answer | see the dashboard",
    ]
  `);
});

test('a filter keeps the rows in which its text occurs', () => {
  const agents = [agent('ada'), agent('bob', { note: 'building ADA 3' }), agent('eve')];
  expect(rowsOf('agents', view({ agents }), { filter: 'Ada', nowMs: NOW }).map(({ key }) => key)).toEqual([
    'ada',
    'bob',
  ]);
});

test('every row has a cell for each title', () => {
  const all = view({
    agents: [agent('ada')],
    overview: overview([group('g', { deadLetters: 1 })]),
    topics: [{ topic: 'a', count: 1, perSecond: 0.5, lastPosition: '1-1' }],
  });
  for (const tab of TABS)
    for (const { cells } of rowsOf(tab, all, given)) expect(cells).toHaveLength(TITLES[tab].length);
});

test('a trace is about the first dead letter of a group that has some, and else about what is open', () => {
  const groups = [group('dead', { deadLetters: 1, inFlight: 1 }), group('open', { waiting: 1 }), group('none')];
  expect(rowsOf('groups', view({ overview: overview(groups) }), given).map(({ trace }) => trace)).toEqual([
    { of: 'dead', group: 'dead' },
    null,
    { of: 'open', group: 'open' },
  ]);
});
