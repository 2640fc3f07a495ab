// The capabilities of a swarm, each once, however many agents offer it.
import type { Agent, Capability } from '@hypercode/contracts';
import { unfitness } from '../scheduling/candidates.ts';

/** A capability, with the description of the first agent that gives one. */
export interface OfferedCapability {
  readonly id: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly inputSchema: Capability['inputSchema'];
  /** Whether an agent that offers it can be given a task now. */
  readonly isAvailable: boolean;
}

/** Agents of this role make plans, and get no tasks. */
const PLANNING_ROLE = 'architect';

/** By id. The order of the agents makes no difference. */
export function offeredCapabilities(agents: readonly Agent[]): OfferedCapability[] {
  const offered = new Map<string, OfferedCapability>();
  for (const agent of agents.toSorted((a, b) => compare(a.name, b.name))) {
    if (agent.role === PLANNING_ROLE) continue;
    const isFit = unfitness(agent) === null;
    for (const { id, description, tags, inputSchema } of agent.capabilities) {
      const known = offered.get(id);
      offered.set(id, {
        id,
        description: known?.description || (description ?? ''),
        tags: known !== undefined && known.tags.length > 0 ? known.tags : (tags ?? []),
        inputSchema: known?.inputSchema ?? inputSchema,
        isAvailable: isFit || (known?.isAvailable ?? false),
      });
    }
  }
  return [...offered.values()].toSorted((a, b) => compare(a.id, b.id));
}

/** By code units: the same on every machine. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
