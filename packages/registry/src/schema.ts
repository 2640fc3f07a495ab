// The tables as Kysely sees them. The migrations are the definition; this is their reading.
import type { ChangeType, CircuitState, TokenKind, TokenNames, TokenRoles } from '@hypercode/contracts';
import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { StoredDocument } from './documents/agent-row.ts';
import type { LivenessMemory } from './documents/liveness-memory.ts';

type Timestamp = ColumnType<Date, Date | string, Date | string>;

/** One row a namespace: the counter that makes revisions, and how far back the change log reaches. */
export interface NamespaceTable {
  namespace: string;
  /** The newest revision that is committed. */
  revision: Generated<number>;
  /** Changes up to and including this revision were deleted. */
  horizon: Generated<number>;
}

export interface AgentTable {
  namespace: string;
  name: string;
  id: string;
  /** The agent as of `revision`. `last_seen_at` moves without one. */
  doc: JSONColumnType<StoredDocument>;
  revision: number;
  incarnation: string | null;
  last_seen_at: Timestamp | null;
  /** `leaseMs` of the document: the lease that the agent asked for; null: the core's counts. */
  lease_ms: number | null;
  /** What liveness remembers of it; null: nothing. Moves without a revision. */
  liveness: JSONColumnType<LivenessMemory> | null;
  /** When its healthUrl is due; null: now. */
  probe_at: Timestamp | null;
  /** When it last had an open stream while it was silent for longer than its lease. */
  streaming_at: Timestamp | null;
  /** Id of the token that registered it first; null: an earlier release, which did not note it. */
  registered_by: string | null;
  /** Index terms of everything that a filter can ask for. */
  facets: string[];
  /** Index terms of the free text. */
  search: string;
}

/** The change log: what watchers resume from. */
export interface ChangeTable {
  namespace: string;
  revision: number;
  name: string;
  change: ChangeType;
  /** Null when the agent was created. */
  before: JSONColumnType<StoredDocument> | null;
  /** The last state, when the agent was removed. */
  after: JSONColumnType<StoredDocument>;
  at: Timestamp;
}

/**
 * What an operator has decided about a name, whichever agent has it, or none. A row is deleted by the operator's act that takes
 * it back, and by nothing else.
 */
export interface OperatorHoldTable {
  namespace: string;
  name: string;
  /** What is held. `trip`: the circuit is open. */
  hold: 'trip';
  reason: string | null;
  /** The agent when it was decided: for the answer of a reset when no agent has the name any more. */
  agent: JSONColumnType<StoredDocument>;
  held_at: Timestamp;
}

/** Names without an agent, whose former processes are still remembered. */
export interface RemovedNameTable {
  namespace: string;
  name: string;
  removed_at: Timestamp;
}

/** The processes that an agent's name has had; the superseded ones are fenced. */
export interface IncarnationTable {
  namespace: string;
  name: string;
  incarnation: string;
  superseded_at: Timestamp | null;
  seen_at: Timestamp;
}

export interface TokenTable {
  /** SHA-256 of the token. */
  hash: Buffer;
  id: string;
  kind: TokenKind | 'agent';
  namespace: string;
  /** The agent's name, or what an operator called the token. */
  name: string;
  roles: ColumnType<TokenRoles | null, string | null, never>;
  names: ColumnType<TokenNames | null, string | null, never>;
  agent_id: string | null;
  incarnation: string | null;
  created_at: Timestamp;
  expires_at: Timestamp | null;
  max_uses: number | null;
  uses: Generated<number>;
  /** When a newer incarnation of the agent took over. */
  fenced_at: Timestamp | null;
  /** Of a token that an admin created, to a minute. */
  last_used_at: Timestamp | null;
}

/** What one replica does for all of them, until its claim ends. */
export interface DutyTable {
  duty: string;
  holder: string;
  until: Timestamp;
  /** `holder` again, if that judges each agent by its own lease; a core of the release before leaves it as it was. */
  knows_leases: string | null;
}

/** The outbox of circuits: changes to be delivered. A row is deleted once it was delivered. */
export interface CircuitOutboxTable {
  namespace: string;
  revision: number;
  agent_id: string;
  name: string;
  role: string;
  circuit: CircuitState;
  reason: string | null;
  /** When it was committed. */
  at: Timestamp;
  /** When the claim of a replica ends. */
  due_at: Timestamp;
}

/** A name by which an operator's or admin's token was known that has ended. Such a name rests before another token takes it. */
export interface EndedTokenNameTable {
  namespace: string;
  name: string;
  kind: TokenKind;
  ended_at: Timestamp;
}

/** One row, which replicas poll to notice that an operator's token was revoked. */
export interface TokenEpochTable {
  id: Generated<boolean>;
  epoch: Generated<number>;
}

// A type and not an interface, which Kysely would not take for a set of tables.
export type Schema = {
  namespaces: NamespaceTable;
  agents: AgentTable;
  changes: ChangeTable;
  incarnations: IncarnationTable;
  removed_names: RemovedNameTable;
  operator_holds: OperatorHoldTable;
  tokens: TokenTable;
  token_epoch: TokenEpochTable;
  ended_token_names: EndedTokenNameTable;
  duties: DutyTable;
  circuit_news: CircuitOutboxTable;
};
