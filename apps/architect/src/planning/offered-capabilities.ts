// The capabilities of a swarm, each once, however many agents offer it, and what its agents say about it.
import type { Agent, Capability } from '@hypercode/contracts';
import { unfitness } from '../scheduling/candidates.ts';

/** What agents say about a capability, in the same words. It is their claim, and may be false. */
export interface Account {
  readonly description: string;
  readonly tags: readonly string[];
  readonly inputSchema: Capability['inputSchema'];
  /** Names of the agents that say so. */
  readonly agents: readonly string[];
}

/** Description, tags and schema are those of the account that more agents give than any other; empty if there is none. */
export interface OfferedCapability extends Omit<Account, 'agents'> {
  readonly id: string;
  /** Every account of it, the one that most agents give first. No agent can replace the account of another. */
  readonly accounts: readonly Account[];
  /** Whether more agents give the first account than any other. */
  readonly isShared: boolean;
  /** Whether an agent that offers it can be given a task now. */
  readonly isAvailable: boolean;
}

/** Agents of this role make plans, and get no tasks. */
const PLANNING_ROLE = 'architect';
/** Longest description that is kept: planners read no further. */
const DESCRIPTION_LENGTH = 512;
/** Longest schema of an input that is kept, in characters of JSON: it has to fit into a prompt. */
const SCHEMA_LENGTH = 1000;

/** By id. The order of the agents makes no difference. */
export function offeredCapabilities(agents: readonly Agent[]): OfferedCapability[] {
  const offered = new Map<string, { isAvailable: boolean; accounts: Map<string, Account & { agents: string[] }> }>();
  for (const agent of agents.toSorted((a, b) => compare(a.name, b.name))) {
    if (agent.role === PLANNING_ROLE) continue;
    const isFit = unfitness(agent) === null;
    for (const capability of agent.capabilities) {
      const known = offered.get(capability.id) ?? { isAvailable: false, accounts: new Map() };
      offered.set(capability.id, known);
      known.isAvailable ||= isFit;
      const { key, ...account } = accountOf(capability);
      if (key === null) continue;
      const same = known.accounts.get(key);
      if (same === undefined) known.accounts.set(key, { ...account, agents: [agent.name] });
      else same.agents.push(agent.name);
    }
  }
  return [...offered]
    .map(([id, { isAvailable, accounts }]) => offeredOf(id, isAvailable, [...accounts.values()]))
    .toSorted((a, b) => compare(a.id, b.id));
}

function offeredOf(id: string, isAvailable: boolean, all: readonly Account[]): OfferedCapability {
  // The sort is stable, so accounts that as many agents give are in the order of their first agents.
  const accounts = all.toSorted((a, b) => b.agents.length - a.agents.length);
  const [first, second] = accounts;
  const isShared = first !== undefined && first.agents.length > (second?.agents.length ?? 0);
  const { description, tags, inputSchema } = isShared ? first : NO_ACCOUNT;
  return { id, description, tags, inputSchema, isAvailable, accounts, isShared };
}

const NO_ACCOUNT: Omit<Account, 'agents'> = { description: '', tags: [], inputSchema: undefined };

/** `key`: the same for the same account; null when the agent says nothing about the capability. */
function accountOf({ description = '', tags = [], inputSchema }: Capability): Omit<Account, 'agents'> & {
  readonly key: string | null;
} {
  const schema = schemaText(inputSchema);
  const account = {
    description: description.slice(0, DESCRIPTION_LENGTH).toWellFormed(),
    tags,
    inputSchema: schema === '' ? undefined : inputSchema,
  };
  const isEmpty = account.description === '' && tags.length === 0 && schema === '';
  return { ...account, key: isEmpty ? null : JSON.stringify([account.description, tags, schema]) };
}

/** Schemas belong to registrations, which are read for each goal and rarely change. */
const schemaTexts = new WeakMap<object, string>();

/** The schema as JSON; empty for none, and for one that is too long. */
function schemaText(schema: Capability['inputSchema']): string {
  if (schema === undefined) return '';
  let text = schemaTexts.get(schema);
  if (text === undefined) {
    text = JSON.stringify(schema);
    if (text.length > SCHEMA_LENGTH) text = '';
    schemaTexts.set(schema, text);
  }
  return text;
}

/** By code units: the same on every machine. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
