// A list of agents with a heading for each role, or for each value of a label.
import type { AgentSummary } from '@hypercode/client';
import { type SlicedWork, sortedInSlices, STEPS_IN_A_ROW } from '../../swarm/slices.ts';

export interface GroupRow {
  /** The role, or the value of the label; null: agents without the label. */
  readonly group: string | null;
  readonly count: number;
  readonly unhealthy: number;
  readonly isFolded: boolean;
}

/** A heading, or an agent as it is: a list of many agents is not made again to be shown. */
export type ListRow = GroupRow | AgentSummary;

export const isGroup = (row: ListRow): row is GroupRow => 'isFolded' in row;

const LABEL = 'label:';

/** What agents are grouped by: `role`, or `label:KEY`. */
const groupOf = (agent: AgentSummary, by: string): string | null =>
  by.startsWith(LABEL) ? (agent.labels[by.slice(LABEL.length)] ?? null) : agent.role;

interface Members {
  readonly agents: AgentSummary[];
  unhealthy: number;
}

/** Groups by name, those without a value last; agents of each in the order in which they came, none of a folded group. */
export function* rowsOf(
  agents: readonly AgentSummary[],
  by: string | undefined,
  folded: ReadonlySet<string | null>,
): SlicedWork<readonly ListRow[]> {
  if (by === undefined) return agents;
  const groups = new Map<string | null, Members>();
  for (const [index, agent] of agents.entries()) {
    if (index % STEPS_IN_A_ROW === 0) yield;
    const name = groupOf(agent, by);
    let members = groups.get(name);
    if (members === undefined) groups.set(name, (members = { agents: [], unhealthy: 0 }));
    members.agents.push(agent);
    if (agent.status.health === 'unhealthy') members.unhealthy += 1;
  }
  const sorted = yield* sortedInSlices([...groups], ([a], [b]) => (a === null ? 1 : b === null ? -1 : a < b ? -1 : 1));
  const rows: ListRow[] = [];
  for (const [group, { agents: members, unhealthy }] of sorted) {
    const isFolded = folded.has(group);
    rows.push({ group, count: members.length, unhealthy, isFolded });
    if (!isFolded) for (const agent of members) rows.push(agent);
    yield;
  }
  return rows;
}

export interface Facets {
  readonly roles: readonly string[];
  readonly capabilities: readonly string[];
  /** `key=value`. */
  readonly labels: readonly string[];
  readonly labelKeys: readonly string[];
}

/** More choices than a person looks through. */
const MOST_CHOICES = 200;

export const NO_FACETS: Facets = { roles: [], capabilities: [], labels: [], labelKeys: [] };

/** What the agents have that a list can be filtered and grouped by: the commonest of each, by name. */
export function* facetsOf(agents: readonly AgentSummary[]): SlicedWork<Facets> {
  const [roles, capabilities, labels, labelKeys] = [new Counts(), new Counts(), new Counts(), new Counts()];
  for (const [index, agent] of agents.entries()) {
    if (index % (STEPS_IN_A_ROW / 4) === 0) yield;
    roles.add(agent.role);
    for (const { id } of agent.capabilities) capabilities.add(id);
    for (const [key, value] of Object.entries(agent.labels)) {
      labels.add(`${key}=${value}`);
      labelKeys.add(key);
    }
  }
  return {
    roles: yield* roles.commonest(),
    capabilities: yield* capabilities.commonest(),
    labels: yield* labels.commonest(),
    labelKeys: yield* labelKeys.commonest(),
  };
}

class Counts {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  *commonest(): SlicedWork<string[]> {
    const sorted = yield* sortedInSlices([...this.#counts], ([, a], [, b]) => b - a);
    return sorted
      .slice(0, MOST_CHOICES)
      .map(([name]) => name)
      .toSorted();
  }
}
