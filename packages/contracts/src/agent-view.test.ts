// What a summary has of an agent.
import { expect, test } from 'vitest';
import type { Agent } from './agent.ts';
import { AgentSummary, summaryOf } from './agent-view.ts';

const agent: Agent = {
  id: '01890000-0000-7000-8000-000000000000',
  namespace: 'default',
  name: 'ada',
  role: 'coder',
  version: '1.0.0',
  description: 'Writes code',
  healthUrl: null,
  topics: { publishes: ['a.b'], subscribes: ['c.>'] },
  capabilities: [
    { id: 'create_pull_request', tags: ['vcs'], description: 'd', inputSchema: { type: 'object' }, outputSchema: {} },
    { id: 'plan' },
  ],
  labels: { team: 'core' },
  incarnation: null,
  status: {
    health: 'healthy',
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
  revision: 1,
  specRevision: 1,
  registeredAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
};

test('a summary has ids and tags of the capabilities, no topics, and everything else', () => {
  const { topics: _, ...others } = agent;
  const summary = summaryOf(agent);
  expect(summary).toStrictEqual({
    ...others,
    capabilities: [{ id: 'create_pull_request', tags: ['vcs'] }, { id: 'plan' }],
  });
  expect(AgentSummary.parse(summary)).toStrictEqual(summary);
});
