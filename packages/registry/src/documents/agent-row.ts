// From a stored row to the agent on the wire.
import type { Agent } from '@hypercode/contracts';
import { type RawBuilder, sql } from 'kysely';
import { type LivenessMemory, memoryOf, PROBE_FAILED, UNPROBED } from './liveness-memory.ts';

/** How long the processes of a name are remembered after its agent was removed; while it is registered, without end. */
export const REMEMBERED_INCARNATION = '24 hours';

/** An agent as it is stored. */
export interface AgentDocument extends Omit<Agent, 'leaseMs'> {
  /** The lease that the agent asked for; null: none, so that the core's counts. */
  readonly leaseMs: number | null;
}

/** As releases before this one wrote it, too: without fields that they did not know. */
export type StoredDocument = Omit<AgentDocument, 'leaseMs' | 'status'> & {
  readonly leaseMs?: number | null;
  readonly status: Omit<Agent['status'], LaterField> & Partial<Pick<Agent['status'], LaterField>>;
};
type LaterField = 'activitySince' | 'note' | 'circuitOpenUntil';

export interface AgentRow {
  doc: StoredDocument;
  last_seen_at: Date | null;
  liveness: LivenessMemory | null;
}

/**
 * SQL: about how many bytes of JSON a document has. To write large ones out takes time, and their stored size says nothing, since
 * they are compressed; of small ones it is near enough.
 */
export const sizeOf = (doc: RawBuilder<unknown>): RawBuilder<number> =>
  sql`case when pg_column_size(${doc}) < ${SMALL_BYTES} then pg_column_size(${doc}) else octet_length(${doc}::text) end`;

/**
 * SQL: the same for a row with a `place` and the bytes that the rows up to it have as they are `stored`. A row that is beyond the page
 * for its stored, compressed size alone is not measured: to write large documents out costs the store much.
 */
export const measuredWithin = (maxBytes: number, doc: RawBuilder<unknown>): RawBuilder<number> =>
  sql`case when place = 1 or stored <= ${maxBytes}::bigint then ${sizeOf(doc)} else ${maxBytes}::bigint + 1 end`;

/** SQL: what the view `summary` shows of a document, so that no more leaves the store. */
export const summarised = (doc: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  ${doc} - array['topics', 'capabilities'] || jsonb_build_object('capabilities', (
    select coalesce(
      jsonb_agg(jsonb_strip_nulls(jsonb_build_object('id', c.value -> 'id', 'tags', c.value -> 'tags')) order by c.ordinality),
      '[]'
    )
    from jsonb_array_elements(${doc} -> 'capabilities') with ordinality c
  ))`;

/** Below it PostgreSQL compresses nothing. */
const SMALL_BYTES = 1024;

/** The agent as it is now, for every reader: the document of its last revision, and what moved since without one. */
export function documentOf({ doc, last_seen_at, liveness }: AgentRow): AgentDocument {
  const lastSeenAt = last_seen_at === null ? doc.status.lastSeenAt : last_seen_at.toISOString();
  const { circuit, unprobed } = memoryOf(liveness, doc);
  const reason = circuit.reason ?? (unprobed === undefined ? doc.status.reason : UNPROBED);
  const status = { ...doc.status, lastSeenAt, consecutiveFailures: circuit.failures, reason };
  return orderedDocument({ ...doc, status });
}

/** The agent on the wire. `coreLeaseMs`: the lease of agents that asked for none. */
export const publishedAgent = (document: AgentDocument, coreLeaseMs: number): Agent => ({
  ...document,
  leaseMs: document.leaseMs ?? coreLeaseMs,
});

export const toAgent = (row: AgentRow, coreLeaseMs: number): Agent => publishedAgent(documentOf(row), coreLeaseMs);

/** As `toAgent`, with what the last probe came to, which only operators, viewers and admins may read. */
export function toDetailedAgent(row: AgentRow, coreLeaseMs: number): Agent {
  const agent = toAgent(row, coreLeaseMs);
  const { probeDetail } = memoryOf(row.liveness, row.doc);
  const { reason } = agent.status;
  if (probeDetail === undefined || (reason !== PROBE_FAILED && reason !== UNPROBED)) return agent;
  return { ...agent, status: { ...agent.status, reason: `${reason}: ${probeDetail}` } };
}

/** A registration is a sign of life. Its document cannot say when, since the commit knows the time. */
export const justRegistered = <Document extends StoredDocument>(doc: Document, at: string): Document => ({
  ...doc,
  status: { ...doc.status, lastSeenAt: at },
});

/** jsonb forgets the order of keys; readers of raw JSON are glad of one that makes sense. */
export function orderedDocument(doc: StoredDocument): AgentDocument {
  const { status } = doc;
  return {
    id: doc.id,
    namespace: doc.namespace,
    name: doc.name,
    role: doc.role,
    version: doc.version,
    description: doc.description,
    healthUrl: doc.healthUrl,
    topics: doc.topics,
    capabilities: doc.capabilities,
    labels: doc.labels,
    incarnation: doc.incarnation,
    status: {
      health: status.health,
      activity: status.activity,
      // Of earlier documents it is only known that it was not later.
      activitySince: status.activitySince ?? doc.updatedAt,
      note: status.note ?? null,
      circuit: status.circuit,
      circuitOpenUntil: status.circuitOpenUntil ?? null,
      consecutiveFailures: status.consecutiveFailures,
      lastSeenAt: status.lastSeenAt,
      reason: status.reason,
    },
    leaseMs: doc.leaseMs ?? null,
    revision: doc.revision,
    specRevision: doc.specRevision,
    registeredAt: doc.registeredAt,
    updatedAt: doc.updatedAt,
  };
}
