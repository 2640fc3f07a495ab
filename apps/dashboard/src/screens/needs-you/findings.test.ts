import type { AgentSummary, PlanView, SwarmOverview } from '@hypercode/client';
import type { GroupInfo } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { tallyOf } from '../../swarm/agent-tally.ts';
import { findingsOf, type SwarmState } from './findings.ts';

const NOW = Date.parse('2026-05-01T12:00:00Z');
const EARLIER = '2026-05-01T11:00:00.000Z';

const agent = (name: string, status: Partial<AgentSummary['status']> = {}, capabilities: string[] = []) =>
  ({
    name,
    updatedAt: EARLIER,
    capabilities: capabilities.map((id) => ({ id })),
    status: {
      health: 'healthy',
      activity: 'ready',
      activitySince: EARLIER,
      note: null,
      circuit: 'closed',
      reason: null,
      ...status,
    },
  }) as AgentSummary;

const group = (fields: Partial<GroupInfo>) =>
  ({
    group: 'mail',
    deadLetters: 0,
    deadByReason: [],
    oldestDeadAt: null,
    lag: 0,
    oldestUnreadAt: null,
    paused: null,
    waiting: 0,
    ...fields,
  }) as GroupInfo;

const cluster = {
  replicas: [{ id: 'r1', host: 'one', seenAt: new Date(NOW - 3000).toISOString(), eventLoopP99Ms: 12 }],
  stores: { database: { kind: 'postgres', ok: true }, events: { kind: 'redis', ok: true } },
  suspended: [],
} as unknown as SwarmOverview['cluster'];

const state = (
  fields: Partial<Omit<SwarmState, 'agents'>> & {
    agents?: AgentSummary[];
    groups?: GroupInfo[];
    cluster?: SwarmOverview['cluster'];
  },
): SwarmState => ({
  namespace: 'default',
  plans: [],
  now: NOW,
  overview: { cluster: fields.cluster ?? cluster, groups: fields.groups ?? [] } as unknown as SwarmOverview,
  ...fields,
  agents: tallyOf(fields.agents ?? []),
});

const titles = (given: SwarmState): string[] => findingsOf(given).map(({ rank, title }) => `${rank}: ${title}`);

test('a swarm in which all is well has no findings', () => {
  expect(titles(state({ agents: [agent('ada')], groups: [group({ lag: 3 })] }))).toEqual([]);
});

test('open circuits come before unhealthy agents, and those before agents that wait', () => {
  const agents = [
    agent('waits', { activity: 'waiting' }),
    agent('ill', { health: 'unhealthy' }),
    agent('broken', { health: 'unhealthy', circuit: 'open' }),
    agent('trial', { circuit: 'half_open' }),
    agent('stuck', { activity: 'blocked' }),
  ];
  expect(titles(state({ agents }))).toEqual([
    'bad: Circuit of broken is open',
    'warn: Circuit of trial is on trial',
    'warn: ill is unhealthy',
    'warn: stuck is blocked',
    'note: waits is waiting',
  ]);
});

test('more than five unhealthy agents are one finding', () => {
  const agents = Array.from({ length: 6 }, (_, index) => agent(`a${index}`, { health: 'unhealthy' }));
  expect(titles(state({ agents }))).toEqual(['warn: 6 agents are unhealthy']);
});

test('more than five open circuits are one finding, and one on trial beside them is another', () => {
  const broken = Array.from({ length: 6 }, (_, index) => agent(`a${index}`, { circuit: 'open' }));
  const agents = [...broken, agent('trial', { circuit: 'half_open' })];
  expect(titles(state({ agents }))).toEqual([
    'bad: The circuits of 6 agents are open',
    'warn: Circuit of trial is on trial',
  ]);
});

test('dead letters, a paused group with unread events and a large lag are findings; a paused group without them is not', () => {
  const paused = { by: '/operators/ops', reason: null, at: EARLIER };
  const groups = [
    group({ group: 'a', deadLetters: 1 }),
    group({ group: 'b', paused, lag: 7 }),
    group({ group: 'c', paused }),
    group({ group: 'd', lag: 5000 }),
  ];
  expect(titles(state({ groups })).toSorted()).toEqual([
    'warn: 1 dead letter in group a',
    'warn: Group b is paused, with 7 unread events',
    'warn: Group d falls behind: 5,000 unread events',
  ]);
});

test('dead letters say why they died and since when, and a group that falls behind says since when', () => {
  const of = (fields: Partial<GroupInfo>) => findingsOf(state({ groups: [group(fields)] }))[0];
  const why = (fields: Partial<GroupInfo>): string | undefined => of(fields)?.why;
  const deadByReason = [
    { reason: 'card service: 503', count: 12 },
    { reason: 'deadline', count: 3 },
    { reason: 'no reason', count: 2 },
    { reason: 'rare', count: 1 },
  ];
  const kept = 'Each failed its last attempt, and is kept until it is redriven or discarded.';
  expect(why({ deadLetters: 20, deadByReason })).toBe(
    `12 × “card service: 503”, 3 × deadline passed, 2 × refused without a reason, 3 × another reason. ${kept}`,
  );
  expect(why({ deadLetters: 2, deadByReason: [{ reason: 'bad', count: 2 }] })).toBe(`2 × “bad”. ${kept}`);
  expect(of({ deadLetters: 1, oldestDeadAt: EARLIER })?.since).toBe(EARLIER);
  expect(of({ lag: 5000, oldestUnreadAt: EARLIER })?.since).toBe(EARLIER);
});

test('a ready task whose capability only an unhealthy agent offers is a finding, and one that a healthy agent offers is not', () => {
  const task = { taskId: 'a', status: 'ready', capability: 'translate', dependsOn: [], attempts: [] };
  const plans = [{ planId: 'p', title: 'Report', status: 'running', tasks: [task] }] as unknown as PlanView[];
  const ill = agent('ill', { health: 'unhealthy' }, ['translate']);
  expect(titles(state({ plans, agents: [ill] }))).toContain('bad: No agent can do translate');
  expect(titles(state({ plans, agents: [agent('well', {}, ['translate'])] }))).toEqual([]);
});

test('a task that nobody can do says since when it waits', () => {
  const [submittedAt, approvedAt, doneAt, lostAt] = [1, 2, 3, 4].map((minute) => `2026-05-01T10:0${minute}:00.000Z`);
  const first = {
    ...{ taskId: 'a', status: 'completed', capability: 'read', dependsOn: [] },
    attempts: [{ outcome: 'completed', endedAt: doneAt }],
  };
  const waits = { taskId: 'b', status: 'ready', capability: 'translate', dependsOn: ['a'], attempts: [] };
  const again = {
    ...waits,
    capability: 'review',
    attempts: [{ outcome: 'lost', assignedAt: doneAt, endedAt: lostAt }],
  };
  const since = (...tasks: object[]) => {
    const approval = { state: 'approved', question: { endedAt: approvedAt } };
    const plan = { planId: 'p', title: 'Report', status: 'running', submittedAt, approval, tasks };
    return findingsOf(state({ plans: [plan as unknown as PlanView] })).map((finding) => finding.since);
  };
  expect(since({ ...waits, dependsOn: [] })).toEqual([approvedAt]);
  expect(since(first, waits)).toEqual([doneAt]);
  expect(since(first, again)).toEqual([lostAt]);
  expect(since(first, again, { ...waits, capability: 'review' })).toEqual([doneAt]);
});

test('a plan that failed today is a finding, and one that failed last week is not', () => {
  const failed = (endedAt: string) =>
    ({ planId: endedAt, title: 'Report', status: 'failed', reason: 'no', endedAt, tasks: [] }) as unknown as PlanView;
  expect(titles(state({ plans: [failed(EARLIER), failed('2026-04-20T00:00:00.000Z')] }))).toEqual([
    'bad: Plan failed: Report',
  ]);
});

test('a store that does not answer, a silent replica and a held guard are findings', () => {
  const ill = {
    replicas: [{ id: 'r1', host: 'one', seenAt: EARLIER, eventLoopP99Ms: 1 }],
    stores: { database: { kind: 'postgres', ok: false }, events: { kind: 'redis', ok: true } },
    suspended: ['default'],
  } as unknown as SwarmOverview['cluster'];
  expect(titles(state({ cluster: ill }))).toEqual([
    'bad: Many agents failed at the same time',
    'bad: postgres is unavailable',
    'warn: Replica on one is silent',
  ]);
});

test('an agent that reports nothing about its task is a finding until it reports again', () => {
  const stalled = (stalledAt: string | null) => {
    const task = {
      taskId: 'a',
      title: 'Read',
      status: 'assigned',
      attempts: [{ attempt: 1, agent: 'ada', stalledAt }],
    };
    return [{ planId: 'p', title: 'Report', status: 'running', tasks: [task] }] as unknown as PlanView[];
  };
  expect(titles(state({ plans: stalled(EARLIER) }))).toEqual(['warn: ada reports nothing about “Read”']);
  expect(titles(state({ plans: stalled(null) }))).toEqual([]);
});
