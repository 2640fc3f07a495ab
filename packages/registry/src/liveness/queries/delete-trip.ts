// Takes back the trip of a name, together with what is remembered of the circuit of the agent that has the name.
import { type Kysely, sql } from 'kysely';
import { type CircuitMemory, freshCircuit } from '../../documents/liveness-memory.ts';
import type { StoredDocument } from '../../documents/agent-row.ts';
import type { Schema } from '../../schema.ts';

const fresh: CircuitMemory = freshCircuit;

/** The agent that is kept with the trip; null when the name was not tripped. Under the lock of the namespace, as `writeTrip`. */
export async function deleteTrip(db: Kysely<Schema>, namespace: string, name: string): Promise<StoredDocument | null> {
  const { rows } = await sql<{ agent: StoredDocument }>`
    with counter as materialized (
      select namespace from namespaces where namespace = ${namespace} for update
    ),
    closed as (
      update agents a set liveness = jsonb_set(a.liveness, '{circuit}', ${JSON.stringify(fresh)}::jsonb) - 'badTrial'
      from counter c where a.namespace = c.namespace and a.name = ${name} and a.liveness is not null
    )
    delete from operator_holds h using counter c
    where h.namespace = c.namespace and h.name = ${name} and h.hold = 'trip'
    returning h.agent`.execute(db);
  return rows[0]?.agent ?? null;
}
