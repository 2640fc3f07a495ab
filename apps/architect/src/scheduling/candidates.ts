// Which agents can be given tasks, and which cannot keep one.
import { type Agent, agentSource } from '@hypercode/contracts';
import type { Assignment } from '@hypercode/plans';

/** The label with the number of tasks that an agent takes at a time: 1 to 1,000. */
const MAX_TASKS_LABEL = 'max-tasks';

/** Why the agent cannot be given a task; null when it can. */
export function unfitness({ status }: Agent): string | null {
  if (status.health !== 'healthy') return `is ${status.health === 'unknown' ? 'not known to be healthy' : 'unhealthy'}`;
  if (status.circuit !== 'closed') return 'has an open circuit';
  if (status.activity === 'draining') return 'is draining';
  if (status.activity === 'paused') return 'is paused';
  return null;
}

/** Why the agent cannot keep the task; null when it can. */
export function lossOf(assignment: Assignment, agent: Agent | undefined): string | null {
  if (agent === undefined) return 'has left the swarm';
  if (assignment.incarnation !== null && agent.incarnation !== assignment.incarnation) return 'was restarted';
  if (agent.status.health === 'unhealthy') return 'is unhealthy';
  if (agent.status.circuit !== 'closed') return 'has an open circuit';
  if (agent.status.activity === 'draining') return 'is draining';
  return null;
}

/** The role of Architects. Other agents may have it, too, so as to submit goals. */
const ARCHITECT_ROLE = 'architect';

/**
 * Whether this Architect plans the goals of the namespace: it is the first by name of those that can. Otherwise several
 * would give tasks to an agent at the same time, each without knowing of the other's.
 */
export function isLeading(self: string, agents: Iterable<Agent>): boolean {
  let leader: Agent | null = null;
  for (const agent of agents) {
    if (!conducts(agent) || unfitness(agent) !== null) continue;
    if (leader === null || agent.name < leader.name) leader = agent;
  }
  return leader === null || agentSource(leader.namespace, leader.name) === self;
}

/** Whether the agent is an Architect, and no standby: it declares that it publishes checkpoints of its own. */
const conducts = ({ name, role, topics }: Agent): boolean =>
  role === ARCHITECT_ROLE && topics.publishes.includes(`architect.${name}.checkpoint`);

/** How many tasks the agent takes at a time. */
export function capacityOf({ labels }: Agent, byDefault: number): number {
  const label = labels[MAX_TASKS_LABEL];
  return label !== undefined && /^[1-9]\d{0,2}$|^1000$/.test(label) ? Number(label) : byDefault;
}

/** The lease of agents that declare none, in milliseconds. */
const USUAL_LEASE_MS = 30_000;

/** How long the agent has to begin: one that says by a long lease that it sleeps between calls has longer, in proportion. */
export const acceptanceOf = ({ leaseMs }: Agent, usualMs: number): number =>
  usualMs * Math.max(1, leaseMs / USUAL_LEASE_MS);

/** The agents that offer each capability. */
export function offersOf(agents: Iterable<Agent>): Map<string, Agent[]> {
  const offers = new Map<string, Agent[]>();
  for (const agent of agents) {
    for (const { id } of agent.capabilities) {
      const others = offers.get(id);
      if (others === undefined) offers.set(id, [agent]);
      else others.push(agent);
    }
  }
  return offers;
}
