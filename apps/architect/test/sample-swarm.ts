// Agents, goals and steps for tests.
import type { Agent, Capability, Goal, GoalStep } from '@hypercode/contracts';

export const NOW = Date.parse('2026-01-01T00:00:00Z');

/** A healthy agent that offers the capabilities; an id stands for `{ id }`. */
export const sampleAgent = (
  name: string,
  capabilities: readonly (string | Capability)[],
  { status, ...rest }: Partial<Omit<Agent, 'status'>> & { status?: Partial<Agent['status']> } = {},
): Agent => ({
  id: '0190a000-0000-7000-8000-000000000000',
  namespace: 'default',
  name,
  role: 'worker',
  version: '1.0.0',
  description: null,
  healthUrl: null,
  topics: { publishes: [], subscribes: [] },
  capabilities: capabilities.map((given) => (typeof given === 'string' ? { id: given } : given)),
  labels: {},
  incarnation: '11111111-1111-4111-8111-111111111111',
  leaseMs: 30_000,
  revision: 1,
  specRevision: 1,
  registeredAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  ...rest,
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
    ...status,
  },
});

export const sampleStep = (id: string, dependsOn: string[] = [], capability = 'work'): GoalStep => ({
  id,
  title: `do ${id}`,
  capability,
  dependsOn,
});

export const sampleGoal = (goal: Partial<Goal> = {}): Goal => ({
  goalId: '22222222-2222-4222-8222-222222222222',
  title: 'a goal',
  ...goal,
});
