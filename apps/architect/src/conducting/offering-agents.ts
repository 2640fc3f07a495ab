// The agents of the namespace, each with the capabilities that the policy in force lets its role offer. A change of the policy
// changes no registration, so an agent may be registered with more.
//
//   unknown ──enforce──> in force ──enforce──> …
import type { AgentDirectory } from '@hypercode/client';
import { type Agent, mayOffer, type Policy } from '@hypercode/contracts';
import { isDeepStrictEqual } from 'node:util';
import type { Swarm } from '../scheduling/checks.ts';

/** Until a policy is in force, no agent offers anything. */
export class OfferingAgents implements Swarm {
  readonly #directory: Pick<AgentDirectory, 'get' | typeof Symbol.iterator>;
  readonly #listeners = new Set<() => void>();
  #policy: Policy | null = null;
  /** What the policy in force makes of each registration; a cache. */
  #offering = new WeakMap<Agent, Agent>();

  /** `directory`: all agents of the namespace. */
  constructor(directory: Pick<AgentDirectory, 'get' | typeof Symbol.iterator>) {
    this.#directory = directory;
  }

  get isPolicyKnown(): boolean {
    return this.#policy !== null;
  }

  /** The policy that the core has answered with last. */
  enforce(policy: Policy): void {
    if (isDeepStrictEqual(policy, this.#policy)) return;
    this.#policy = policy;
    this.#offering = new WeakMap();
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` when another policy is in force; the returned function ends that. */
  onPolicy(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get(name: string): Agent | undefined {
    const agent = this.#directory.get(name);
    return agent === undefined ? undefined : this.#permitted(agent);
  }

  *[Symbol.iterator](): Iterator<Agent, void> {
    for (const agent of this.#directory) yield this.#permitted(agent);
  }

  #permitted(agent: Agent): Agent {
    let permitted = this.#offering.get(agent);
    if (permitted === undefined) {
      permitted = withPermitted(agent, this.#policy);
      this.#offering.set(agent, permitted);
    }
    return permitted;
  }
}

function withPermitted(agent: Agent, policy: Policy | null): Agent {
  const { role, capabilities } = agent;
  const permitted = policy === null ? [] : capabilities.filter(({ id }) => mayOffer(policy, role, id));
  return permitted.length === capabilities.length ? agent : { ...agent, capabilities: permitted };
}
