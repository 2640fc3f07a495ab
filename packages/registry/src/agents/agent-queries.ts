// Reads of agents and of their history, straight from the store.
import {
  type Agent,
  type GetInput,
  type HistoryInput,
  type HistoryResult,
  LIMITS,
  matches,
  type QueryInput,
  type QueryResult,
  summaryOf,
  SwarmError,
} from '@hypercode/contracts';
import { coalesce } from '@hypercode/feed';
import type { Kysely } from 'kysely';
import { readHistory } from '../changes/queries/read-history.ts';
import { toAgent, toDetailedAgent } from '../documents/agent-row.ts';
import type { Schema } from '../schema.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { findAgents } from './queries/find-agents.ts';
import { countAgents, namesOfNamespaces, type NamespaceAgents } from './queries/list-namespaces.ts';
import { readRoleAt } from './queries/read-role-at.ts';
import { queryAgents } from './queries/query-agents.ts';
import { readAgents } from './queries/read-agents.ts';

export interface ReadOptions {
  /** Whether the reader may know why probes of the core failed. */
  readonly details: boolean;
}

export class AgentQueries {
  readonly #db: Kysely<Schema>;
  readonly #leaseMs: number;
  readonly #isRegistered: (key: string) => Promise<true | undefined>;

  /** `leaseMs`: the lease of agents that asked for none, in milliseconds. */
  constructor(db: Kysely<Schema>, leaseMs: number) {
    this.#db = db;
    this.#leaseMs = leaseMs;
    this.#isRegistered = coalesce(async (keys) => {
      const wanted = keys.map((key) => {
        const [namespace = '', name = ''] = key.split(' ');
        return { namespace, name };
      });
      const found = await findAgents(db, wanted);
      return new Map(found.map(({ namespace, name }) => [`${namespace} ${name}`, true as const]));
    });
  }

  /** Whether an agent has this name. Those who ask at the same time share a query. UNAVAILABLE. */
  async has({ namespace, name }: GetInput): Promise<boolean> {
    return (await this.#isRegistered(`${namespace} ${name}`)) === true;
  }

  /** `details`: with what its last probe came to, which no agent may read. NOT_FOUND when there is no such agent, UNAVAILABLE. */
  async get({ namespace, name }: GetInput, { details }: ReadOptions): Promise<Agent> {
    const [found] = await readAgents(this.#db, namespace, [{ name, incarnation: null }]);
    if (found === undefined || found.row === null) throw new SwarmError('NOT_FOUND', `there is no agent "${name}"`);
    return (details ? toDetailedAgent : toAgent)(found.row, this.#leaseMs);
  }

  /** A page of agents by name, shorter than `limit` when they are large. INVALID_INPUT for a cursor that this call did not return, UNAVAILABLE. */
  async query(input: QueryInput, { details }: ReadOptions): Promise<QueryResult> {
    const { namespace, view, text, limit, cursor, ...filter } = input;
    const after = cursor === undefined ? null : decodeCursor('query', cursor);
    const page = { filter, view, text, after, limit, maxBytes: LIMITS.pageBytes };
    const { rows, hasMore, revision } = await queryAgents(this.#db, namespace, page);
    const shown = details ? toDetailedAgent : toAgent;
    const last = rows.at(-1);
    const nextCursor = hasMore && last !== undefined ? encodeCursor('query', last.name) : null;
    const agents = rows.map((row) => shown(row, this.#leaseMs));
    // Summaries have the type of whole agents, as the declared query has it.
    return { agents: view === 'full' ? agents : (agents.map(summaryOf) as Agent[]), nextCursor, revision };
  }

  /**
   * Agents whose declared topics say that they subscribe to `topic`, by name: those among the first 500 that declare it either way.
   * UNAVAILABLE.
   */
  async subscribers(namespace: string, topic: string): Promise<Pick<Agent, 'name' | 'role'>[]> {
    const page = { namespace, topic, view: 'full', limit: LIMITS.pageSize } as const;
    const { agents } = await this.query(page, { details: false });
    return agents.filter(({ topics }) => topics.subscribes.some((pattern) => matches(pattern, topic)));
  }

  /** The role that the agent had at a time (milliseconds since the epoch), also of one that was removed; null when that is not kept. UNAVAILABLE. */
  roleAt(namespace: string, name: string, atMs: number): Promise<string | null> {
    return readRoleAt(this.#db, namespace, name, { at: new Date(atMs) });
  }

  /** Names of namespaces in which an agent was ever registered, by name. UNAVAILABLE. */
  namespaces(page: { after: string | null; limit: number }): Promise<string[]> {
    return namesOfNamespaces(this.#db, page);
  }

  /** The numbers of the agents of each namespace, by its name. UNAVAILABLE. */
  count(namespaces: readonly string[]): Promise<NamespaceAgents[]> {
    return countAgents(this.#db, namespaces);
  }

  /**
   * An agent's changes in pages as of `query`, newest first, as far back as the change log reaches, also of one that was removed. NOT_FOUND when
   * neither the agent nor a change of it exists, COMPACTED for a cursor before the log's horizon, UNAVAILABLE.
   */
  async history({ namespace, name, limit, cursor }: HistoryInput): Promise<HistoryResult> {
    const before = cursor === undefined ? null : Number(decodeCursor('history', cursor));
    const { changes, hasMore, horizon } = await readHistory(this.#db, namespace, name, {
      before,
      limit,
      coreLeaseMs: this.#leaseMs,
    });
    if (before !== null && before <= horizon) {
      throw new SwarmError('COMPACTED', `changes up to revision ${horizon} were removed from the history`);
    }
    if (before === null && changes.length === 0) await this.get({ namespace, name }, { details: false });
    const last = changes.at(-1);
    return {
      changes: changes.map(({ position, change, after, at }) => ({ revision: position, change, agent: after, at })),
      nextCursor: hasMore && last !== undefined ? encodeCursor('history', String(last.position)) : null,
    };
  }
}
