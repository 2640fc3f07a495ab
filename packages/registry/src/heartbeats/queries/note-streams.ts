// Notes that silent agents have an open stream.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

export interface StreamingAgent {
  readonly namespace: string;
  readonly name: string;
  readonly agentId: string;
}

/** Only those that were not seen for a lease; `coreLeaseMs` is that of agents that asked for none. Locks agents in the order of their keys, as every statement does that writes many. */
export async function noteStreams(
  db: Kysely<Schema>,
  agents: readonly StreamingAgent[],
  coreLeaseMs: number,
): Promise<void> {
  await sql`
    with silent as materialized (
      select a.namespace, a.name
      from unnest(
        ${agents.map(({ namespace }) => namespace)}::text[],
        ${agents.map(({ name }) => name)}::text[],
        ${agents.map(({ agentId }) => agentId)}::uuid[]
      ) as s(namespace, name, id)
      join agents a on a.namespace = s.namespace and a.name = s.name and a.id = s.id
      where a.last_seen_at < now() - coalesce(a.lease_ms, ${coreLeaseMs}::float8) * interval '1 millisecond'
      order by a.namespace, a.name
      for no key update of a
    )
    update agents a set streaming_at = now()
    from silent s
    where a.namespace = s.namespace and a.name = s.name`.execute(db);
}
