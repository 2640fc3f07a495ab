// The mirror of agents: what it holds, for how long, and that it never goes back.
import { expect, test } from 'vitest';
import { agentOf } from '../../test/agents/sample-agents.ts';
import type { Change } from '../changes/change.ts';
import { AgentMirror, type MirroredStatus } from './agent-mirror.ts';

const AGENT = agentOf();
const STATUS: MirroredStatus = {
  revision: 3,
  activity: 'ready',
  note: null,
  circuit: 'closed',
  circuitOpenUntilMs: null,
  circuitReason: null,
  health: 'healthy',
  hasHealthUrl: false,
  leaseMs: 30_000,
};

const change = (position: number, status: Partial<typeof AGENT.status>): Change => ({
  position,
  change: 'status',
  before: AGENT,
  after: { ...AGENT, healthUrl: 'http://10.0.0.1/health', status: { ...AGENT.status, ...status } },
  at: AGENT.updatedAt,
});

test('an agent is held until the last of its tokens is released', () => {
  const mirror = new AgentMirror();
  expect(mirror.statusOf(AGENT.id)).toBeNull();
  mirror.retain(AGENT.id, STATUS);
  mirror.retain(AGENT.id, STATUS);
  mirror.release(AGENT.id);
  expect(mirror.statusOf(AGENT.id)).toBe(STATUS);
  mirror.release(AGENT.id);
  mirror.release(AGENT.id);
  expect(mirror.statusOf(AGENT.id)).toBeNull();
});

test('a change of a held agent updates its status', () => {
  const mirror = new AgentMirror();
  mirror.apply(change(4, { circuit: 'open' }));
  expect(mirror.statusOf(AGENT.id)).toBeNull();
  mirror.retain(AGENT.id, STATUS);
  const circuitOpenUntil = '2026-01-01T00:00:30.000Z';
  mirror.apply(
    change(5, { circuit: 'open', circuitOpenUntil, reason: 'it answered with status 500', activity: 'busy' }),
  );
  expect(mirror.statusOf(AGENT.id)).toEqual({
    revision: 5,
    activity: 'busy',
    note: null,
    circuit: 'open',
    circuitOpenUntilMs: Date.parse(circuitOpenUntil),
    circuitReason: 'it answered with status 500',
    health: 'unknown',
    hasHealthUrl: true,
    leaseMs: 30_000,
  });
});

test('a status never goes back to an earlier revision, whichever way that one arrives', () => {
  const mirror = new AgentMirror();
  mirror.retain(AGENT.id, STATUS);
  mirror.apply(change(7, { circuit: 'open' }));
  mirror.apply(change(6, { circuit: 'closed' }));
  mirror.retain(AGENT.id, { ...STATUS, revision: 5 });
  expect(mirror.statusOf(AGENT.id)).toMatchObject({ revision: 7, circuit: 'open' });
  mirror.retain(AGENT.id, { ...STATUS, revision: 8 });
  expect(mirror.statusOf(AGENT.id)).toMatchObject({ revision: 8, circuit: 'closed' });
});
