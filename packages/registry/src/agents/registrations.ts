// The commands on registrations: register, update, deregister.
import type { Clock } from '@hypercode/clock';
import {
  type Agent,
  type AgentRegistration,
  type DeregisterInput,
  type RegisterResult,
  SwarmError,
  type TokenRoles,
  type UpdateInput,
} from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import { type JoinPrincipal, ownsNames, type Principal } from '../tokens/principal.ts';
import { returnUse, takeUse } from '../tokens/queries/operator-tokens.ts';
import { mintToken } from '../tokens/token-format.ts';
import type { GroupCommit } from './group-commit.ts';
import { readAgents } from './queries/read-agents.ts';

export interface RegistrationsOptions {
  db: Kysely<Schema>;
  clock: Clock;
  commits: GroupCommit;
  /** A registration that changes nothing writes nothing, and is a sign of life all the same. */
  onAlive: (agent: { namespace: string; name: string; agentId: string }, leaseMs: number) => void;
}

export class Registrations {
  readonly #options: RegistrationsOptions;

  constructor(options: RegistrationsOptions) {
    this.#options = options;
  }

  /**
   * Registers an agent, or registers it again, and gives it a token of its own. Idempotent on namespace and name.
   * Ends in IMMUTABLE_FIELD (`role`), FENCED, FORBIDDEN (a join token that is used up, or a name of another token), UNAVAILABLE.
   */
  async register(registration: AgentRegistration, by: Principal): Promise<RegisterResult> {
    return by.kind === 'join' && by.limited
      ? this.#registerLimited(registration, by)
      : this.#register(registration, by, true);
  }

  /** Changes an agent's registration. NOT_FOUND, CONFLICT (`ifRevision`), IMMUTABLE_FIELD, UNAVAILABLE. */
  async update({ namespace, name, set, ifRevision }: UpdateInput): Promise<Agent> {
    const { agent } = await this.#options.commits.submit(namespace, { kind: 'update', name, set, ifRevision }, null);
    return agent;
  }

  /** Removes an agent and ends its tokens. Returns its last state. NOT_FOUND, UNAVAILABLE. */
  async deregister({ namespace, name, reason }: DeregisterInput): Promise<Agent> {
    const { agent } = await this.#options.commits.submit(namespace, { kind: 'deregister', name, reason }, null);
    return agent;
  }

  async #register(registration: AgentRegistration, by: Principal, mayCreate: boolean): Promise<RegisterResult> {
    const { clock, commits, onAlive } = this.#options;
    const minted = mintToken('agent');
    const issued = { id: clock.newId(), hash: minted.hash.toString('hex') };
    const newId = clock.newId();
    const replaces = replacedBy(by);
    const ownNamesOnly = by.kind === 'join' && ownsNames(by);
    const facts = { superseded: false, lapsed: false, owner: null };
    const rights = { mayCreate, replaces, registeredBy: by.id, ownNamesOnly };
    const command = { kind: 'register', registration, newId, ...rights, ...facts } as const;
    const { agent, change } = await commits.submit(registration.namespace, command, issued);
    if (change === null) onAlive({ namespace: agent.namespace, name: agent.name, agentId: agent.id }, agent.leaseMs);
    const outcome = change === null ? 'unchanged' : change === 'registered' ? 'created' : 'updated';
    return { agent, outcome, token: minted.token };
  }

  /**
   * Only a name that is free, or that an agent of another role has, takes a use, first, so that a race cannot exceed the limit;
   * it is given back unless an agent was created.
   */
  async #registerLimited(registration: AgentRegistration, by: JoinPrincipal): Promise<RegisterResult> {
    const { db } = this.#options;
    const exists = await this.#exists(registration);
    const taken = !exists && (await takeUse(db, by.id));
    try {
      const result = await this.#register(registration, by, taken);
      if (taken && result.outcome !== 'created') await returnUse(db, by.id);
      return result;
    } catch (error) {
      if (!(error instanceof SwarmError)) throw error;
      if (taken) await returnUse(db, by.id);
      // The agent was removed while it registered again: now the name is free.
      if (exists && error.code === 'FORBIDDEN' && !(await this.#exists(registration))) {
        return this.#registerLimited(registration, by);
      }
      throw error;
    }
  }

  /** Whether an agent of the same role has the name. */
  async #exists({ namespace, name, role }: AgentRegistration): Promise<boolean> {
    const [found] = await readAgents(this.#options.db, namespace, [{ name, incarnation: null }]);
    return found?.row?.doc.role === role;
  }
}

/** The roles of which a caller may replace a dead agent by one of another role. */
function replacedBy(by: Principal): TokenRoles {
  if (by.kind === 'join') return by.roles;
  return by.kind === 'admin' ? '*' : [];
}
