// What is counted of the agents: who is in trouble, and what is offered. Kept up with each change, so that nobody counts all of them again.
import type { AgentSummary } from '@hypercode/client';

export interface AgentTally {
  readonly total: number;
  readonly healthy: number;
  /** Whose circuit is not closed. */
  readonly broken: readonly AgentSummary[];
  /** Unhealthy, with a closed circuit. */
  readonly unhealthy: readonly AgentSummary[];
  readonly blocked: readonly AgentSummary[];
  readonly waiting: readonly AgentSummary[];
  /** How many agents have a capability. */
  readonly having: (capability: string) => number;
  /** How many of them are not unhealthy and have no open circuit, so that they can be given a task. */
  readonly offering: (capability: string) => number;
}

const TROUBLES = {
  broken: ({ status }: AgentSummary) => status.circuit !== 'closed',
  unhealthy: ({ status }: AgentSummary) => status.health === 'unhealthy' && status.circuit === 'closed',
  blocked: ({ status }: AgentSummary) => status.activity === 'blocked',
  waiting: ({ status }: AgentSummary) => status.activity === 'waiting',
};
type Trouble = keyof typeof TROUBLES;
const NAMES = Object.keys(TROUBLES) as Trouble[];

export class AgentCensus {
  readonly #troubled: Record<Trouble, Map<string, AgentSummary>> = {
    broken: new Map(),
    unhealthy: new Map(),
    blocked: new Map(),
    waiting: new Map(),
  };
  readonly #having = new Map<string, number>();
  readonly #offering = new Map<string, number>();
  #total = 0;
  #healthy = 0;

  /** An agent in place of another of the same name. Null: there was none, or there is none any more. */
  replace(before: AgentSummary | null, after: AgentSummary | null): void {
    if (before !== null) this.#count(before, -1);
    if (after !== null) this.#count(after, 1);
    const name = (after ?? before)?.name ?? '';
    for (const trouble of NAMES) {
      if (after !== null && TROUBLES[trouble](after)) this.#troubled[trouble].set(name, after);
      else this.#troubled[trouble].delete(name);
    }
  }

  tally(): AgentTally {
    const byName = (trouble: Trouble): readonly AgentSummary[] =>
      [...this.#troubled[trouble].values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return {
      total: this.#total,
      healthy: this.#healthy,
      broken: byName('broken'),
      unhealthy: byName('unhealthy'),
      blocked: byName('blocked'),
      waiting: byName('waiting'),
      having: (capability) => this.#having.get(capability) ?? 0,
      offering: (capability) => this.#offering.get(capability) ?? 0,
    };
  }

  #count({ status, capabilities }: AgentSummary, by: 1 | -1): void {
    this.#total += by;
    if (status.health === 'healthy') this.#healthy += by;
    const isOffering = status.health !== 'unhealthy' && status.circuit !== 'open';
    for (const { id } of capabilities) {
      add(this.#having, id, by);
      if (isOffering) add(this.#offering, id, by);
    }
  }
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

export const NO_AGENTS: AgentTally = new AgentCensus().tally();

/** Of a list, counted at once. */
export function tallyOf(agents: readonly AgentSummary[]): AgentTally {
  const census = new AgentCensus();
  for (const agent of agents) census.replace(null, agent);
  return census.tally();
}
