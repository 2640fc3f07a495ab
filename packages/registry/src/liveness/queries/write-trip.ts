// Trips a name, for the agent that has it now and for all that will.
import { type Kysely, sql } from 'kysely';
import type { StoredDocument } from '../../documents/agent-row.ts';
import type { Schema } from '../../schema.ts';

/**
 * Of a name that is registered or tripped already; returns the agent as it is kept with the trip, or null for any other name.
 * Under the lock of the namespace, as every commit: a registration comes before the trip, or knows of it.
 */
export async function writeTrip(
  db: Kysely<Schema>,
  { namespace, name, reason }: { namespace: string; name: string; reason: string | null },
): Promise<StoredDocument | null> {
  const { rows } = await sql<{ agent: StoredDocument }>`
    with counter as materialized (
      select namespace from namespaces where namespace = ${namespace} for update
    )
    insert into operator_holds as h (namespace, name, hold, reason, agent, held_at)
    select c.namespace, ${name}, 'trip', ${reason}::text, k.agent, now() from counter c
    cross join lateral (
      select doc as agent, 1 as place from agents where namespace = c.namespace and name = ${name}
      union all
      select agent, 2 from operator_holds where namespace = c.namespace and name = ${name} and hold = 'trip'
      order by place limit 1
    ) k
    on conflict (namespace, name, hold) do update
      set reason = excluded.reason, agent = excluded.agent, held_at = excluded.held_at
    returning agent`.execute(db);
  return rows[0]?.agent ?? null;
}
