// The agents of the live view, by name, and what is counted of them. A change costs what it changes, however many agents there are.
import type { AgentSummary } from '@hypercode/client';
import { AgentCensus, type AgentTally } from './agent-tally.ts';
import { type SlicedWork, STEPS_IN_A_ROW } from './slices.ts';

export interface ListedAgents {
  /** By name. */
  readonly agents: readonly AgentSummary[];
  readonly tally: AgentTally;
}

/** By name; null: the agent was removed. */
export type AgentChanges = ReadonlyMap<string, AgentSummary | null>;

export class AgentList {
  readonly #census = new AgentCensus();
  #agents: readonly AgentSummary[] = [];

  /** The list after the changes. One application ends before the next one begins. */
  *after(changes: AgentChanges): SlicedWork<ListedAgents> {
    const changed = [...changes].toSorted(([a], [b]) => (a < b ? -1 : 1));
    yield;
    const before = this.#agents;
    const agents: AgentSummary[] = [];
    let at = 0;
    for (const [index, [name, agent]] of changed.entries()) {
      let next = before[at];
      for (; next !== undefined && next.name < name; next = before[at]) {
        agents.push(next);
        at += 1;
      }
      const previous = next?.name === name ? next : null;
      if (previous !== null) at += 1;
      if (agent !== null) agents.push(agent);
      this.#census.replace(previous, agent);
      if (index % STEPS_IN_A_ROW === 0) yield;
    }
    this.#agents = at === before.length ? agents : agents.concat(before.slice(at));
    return { agents: this.#agents, tally: this.#census.tally() };
  }
}
