// Agents and goals for tests of planners.
import type { Agent, AgentStatus, Capability, Goal } from '@hypercode/contracts';

interface AgentTraits {
  readonly role?: string;
  readonly status?: Partial<AgentStatus>;
}

/** A healthy agent that offers these capabilities; an id stands for `{ id }`. */
export function agentOf(
  name: string,
  capabilities: readonly (string | Capability)[],
  { role = 'worker', status }: AgentTraits = {},
): Agent {
  return {
    id: '0190f6d2-0000-7000-8000-000000000000',
    namespace: 'default',
    name,
    role,
    version: '1.0.0',
    description: null,
    healthUrl: null,
    topics: { publishes: [], subscribes: [] },
    capabilities: capabilities.map((given) => (typeof given === 'string' ? { id: given } : given)),
    labels: {},
    incarnation: null,
    status: {
      health: 'healthy',
      activity: 'ready',
      circuit: 'closed',
      circuitOpenUntil: null,
      consecutiveFailures: 0,
      lastSeenAt: null,
      reason: null,
      ...status,
    },
    revision: 1,
    specRevision: 1,
    registeredAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  };
}

export const goalOf = (title: string, description?: string, steps?: Goal['steps']): Goal => ({
  goalId: '0190f6d2-1111-7000-8000-000000000000',
  title,
  ...(description === undefined ? {} : { description }),
  ...(steps === undefined ? {} : { steps }),
});
