// A list of agents with a heading for each role, or for each value of a label.
import type { AgentSummary } from '@hypercode/client';

export interface GroupRow {
  readonly kind: 'group';
  /** The role, or the value of the label; null: agents without the label. */
  readonly name: string | null;
  readonly count: number;
  readonly unhealthy: number;
  readonly isFolded: boolean;
}

interface AgentRow {
  readonly kind: 'agent';
  readonly agent: AgentSummary;
}

export type ListRow = GroupRow | AgentRow;

const LABEL = 'label:';

/** What agents are grouped by: `role`, or `label:KEY`. */
const groupOf = (agent: AgentSummary, by: string): string | null =>
  by.startsWith(LABEL) ? (agent.labels[by.slice(LABEL.length)] ?? null) : agent.role;

/** Groups by name, those without a value last; agents of each in the order in which they came, none of a folded group. */
export function rowsOf(
  agents: readonly AgentSummary[],
  by: string | undefined,
  folded: ReadonlySet<string | null>,
): ListRow[] {
  if (by === undefined) return agents.map((agent) => ({ kind: 'agent', agent }));
  const groups = new Map<string | null, AgentSummary[]>();
  for (const agent of agents) {
    const name = groupOf(agent, by);
    const members = groups.get(name);
    if (members === undefined) groups.set(name, [agent]);
    else members.push(agent);
  }
  const sorted = [...groups].toSorted(([a], [b]) => (a === null ? 1 : b === null ? -1 : a < b ? -1 : 1));
  const rows: ListRow[] = [];
  for (const [name, members] of sorted) {
    const isFolded = folded.has(name);
    const unhealthy = members.filter(({ status }) => status.health === 'unhealthy').length;
    rows.push({ kind: 'group', name, count: members.length, unhealthy, isFolded });
    if (!isFolded) for (const agent of members) rows.push({ kind: 'agent', agent });
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

/** What the agents have that a list can be filtered and grouped by: the commonest of each, by name. */
export function facetsOf(agents: readonly AgentSummary[]): Facets {
  const [roles, capabilities, labels, labelKeys] = [new Counts(), new Counts(), new Counts(), new Counts()];
  for (const agent of agents) {
    roles.add(agent.role);
    for (const { id } of agent.capabilities) capabilities.add(id);
    for (const [key, value] of Object.entries(agent.labels)) {
      labels.add(`${key}=${value}`);
      labelKeys.add(key);
    }
  }
  return {
    roles: roles.commonest(),
    capabilities: capabilities.commonest(),
    labels: labels.commonest(),
    labelKeys: labelKeys.commonest(),
  };
}

class Counts {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  commonest(): string[] {
    return [...this.#counts]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, MOST_CHOICES)
      .map(([name]) => name)
      .toSorted();
  }
}
