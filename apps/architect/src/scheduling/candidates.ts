// Which agents can be given tasks, and which cannot keep one.
import type { Agent } from '@hypercode/contracts';
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

/** How many tasks the agent takes at a time. */
export function capacityOf({ labels }: Agent, byDefault: number): number {
  const label = labels[MAX_TASKS_LABEL];
  return label !== undefined && /^[1-9]\d{0,2}$|^1000$/.test(label) ? Number(label) : byDefault;
}

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
