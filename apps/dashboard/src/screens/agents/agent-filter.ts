// Which agents a list shows, in the words of the API, as the address has them.
import type { AgentSummary } from '@hypercode/client';
import { z } from 'zod';
import { type SlicedWork, sortedInSlices, STEPS_IN_A_ROW } from '../../swarm/slices.ts';

const word = z.string().max(256).optional().catch(undefined);

/** A value that is none of the API's is left out. */
export const AgentFilterSearch = z.object({
  text: word,
  role: word,
  capability: word,
  health: z.enum(['healthy', 'unhealthy', 'unknown']).optional().catch(undefined),
  circuit: z.enum(['closed', 'open', 'half_open']).optional().catch(undefined),
  activity: z.enum(['ready', 'busy', 'waiting', 'blocked', 'draining', 'paused']).optional().catch(undefined),
  /** Each of them, with this value. */
  labels: z.record(z.string().max(63), z.string().max(256)).optional().catch(undefined),
  /** By what the list is grouped: `role`, or `label:KEY`. */
  group: z
    .string()
    .max(80)
    .regex(/^(?:role|label:.+)$/)
    .optional()
    .catch(undefined),
  sort: z.enum(['name', 'health', 'activity', 'seen']).optional().catch(undefined),
});
export type AgentFilterSearch = z.infer<typeof AgentFilterSearch>;

const HEALTHS = ['unhealthy', 'unknown', 'healthy'];
const ACTIVITIES = ['blocked', 'waiting', 'busy', 'ready', 'draining', 'paused'];

type Order = (a: AgentSummary, b: AgentSummary) => number;

/** The worst first; what is equal stays by name. */
const ORDERS: Record<Exclude<NonNullable<AgentFilterSearch['sort']>, 'name'>, Order> = {
  health: (a, b) => HEALTHS.indexOf(a.status.health) - HEALTHS.indexOf(b.status.health),
  activity: (a, b) => ACTIVITIES.indexOf(a.status.activity) - ACTIVITIES.indexOf(b.status.activity),
  seen: (a, b) => {
    const [first, second] = [a.status.lastSeenAt ?? '', b.status.lastSeenAt ?? ''];
    return first < second ? -1 : first > second ? 1 : 0;
  },
};

/** Agents by name, as the filter leaves them, in its order. `text` is found in names, roles, descriptions, notes and labels. */
export function* filtered(
  agents: readonly AgentSummary[],
  filter: AgentFilterSearch,
): SlicedWork<readonly AgentSummary[]> {
  const { text, role, capability, health, circuit, activity, sort = 'name' } = filter;
  const labels = Object.entries(filter.labels ?? {});
  const wanted = text?.trim().toLowerCase();
  let found = agents;
  if (wanted || role || capability || health || circuit || activity || labels.length > 0) {
    const matching: AgentSummary[] = [];
    for (const [index, agent] of agents.entries()) {
      if (index % STEPS_IN_A_ROW === 0) yield;
      const isWanted =
        (role === undefined || agent.role === role) &&
        (health === undefined || agent.status.health === health) &&
        (circuit === undefined || agent.status.circuit === circuit) &&
        (activity === undefined || agent.status.activity === activity) &&
        (capability === undefined || agent.capabilities.some(({ id }) => id === capability)) &&
        labels.every(([key, value]) => agent.labels[key] === value) &&
        (!wanted || wordsOf(agent).includes(wanted));
      if (isWanted) matching.push(agent);
    }
    found = matching;
  }
  return sort === 'name' ? found : yield* sortedInSlices(found, ORDERS[sort]);
}

/** Agents are replaced when they change, so what is searched is made once for each. */
const words = new WeakMap<AgentSummary, string>();

function wordsOf(agent: AgentSummary): string {
  let text = words.get(agent);
  if (text === undefined) {
    const { name, role, description, labels, status } = agent;
    const labelWords = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    text = [name, role, description ?? '', status.note ?? '', ...labelWords].join('\n').toLowerCase();
    words.set(agent, text);
  }
  return text;
}
