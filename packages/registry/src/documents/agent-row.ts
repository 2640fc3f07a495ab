// From a stored row to the agent on the wire.
import type { Agent } from '@hypercode/contracts';
import { type RawBuilder, sql } from 'kysely';
import { type LivenessMemory, memoryOf, PROBE_FAILED, UNPROBED } from './liveness-memory.ts';

/** How long the processes of a name are remembered after its agent was removed; while it is registered, without end. */
export const REMEMBERED_INCARNATION = '24 hours';

export interface AgentRow {
  doc: Agent;
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
export function toAgent({ doc, last_seen_at, liveness }: AgentRow): Agent {
  const lastSeenAt = last_seen_at === null ? doc.status.lastSeenAt : last_seen_at.toISOString();
  const { circuit, unprobed } = memoryOf(liveness, doc);
  const reason = circuit.reason ?? (unprobed === undefined ? doc.status.reason : UNPROBED);
  const status = { ...doc.status, lastSeenAt, consecutiveFailures: circuit.failures, reason };
  return orderedAgent({ ...doc, status });
}

/** As `toAgent`, with what the last probe came to, which only operators, viewers and admins may read. */
export function toDetailedAgent(row: AgentRow): Agent {
  const agent = toAgent(row);
  const { probeDetail } = memoryOf(row.liveness, row.doc);
  const { reason } = agent.status;
  if (probeDetail === undefined || (reason !== PROBE_FAILED && reason !== UNPROBED)) return agent;
  return { ...agent, status: { ...agent.status, reason: `${reason}: ${probeDetail}` } };
}

/** A registration is a sign of life. Its document cannot say when, since the commit knows the time. */
export const justRegistered = (doc: Agent, at: string): Agent => ({
  ...doc,
  status: { ...doc.status, lastSeenAt: at },
});

/** jsonb forgets the order of keys; readers of raw JSON are glad of one that makes sense. */
export function orderedAgent(doc: Agent): Agent {
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
      circuit: status.circuit,
      // Documents of earlier versions do not have it.
      circuitOpenUntil: status.circuitOpenUntil ?? null,
      consecutiveFailures: status.consecutiveFailures,
      lastSeenAt: status.lastSeenAt,
      reason: status.reason,
    },
    revision: doc.revision,
    specRevision: doc.specRevision,
    registeredAt: doc.registeredAt,
    updatedAt: doc.updatedAt,
  };
}
