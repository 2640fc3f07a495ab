// Takes what is to be told of circuits, for one replica: for a while, and until it is deleted.
import type { CircuitState } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

/** An agent's circuit has changed: what it is as of `revision`, and why. */
export interface CircuitNews {
  readonly namespace: string;
  readonly revision: number;
  readonly agentId: string;
  readonly name: string;
  readonly role: string;
  readonly circuit: CircuitState;
  readonly reason: string | null;
}

/** At most `limit`, in the order of their commits. */
export async function claimCircuitNews(
  db: Kysely<Schema>,
  { forMs, limit }: { forMs: number; limit: number },
): Promise<CircuitNews[]> {
  const { rows } = await sql<CircuitNews>`
    with due as materialized (
      select namespace, revision from circuit_news where due_at <= now()
      order by namespace, revision limit ${limit}
      for update skip locked
    ),
    claimed as (
      update circuit_news n set due_at = now() + ${forMs} * interval '1 millisecond'
      from due where n.namespace = due.namespace and n.revision = due.revision
      returning n.*
    )
    select namespace, revision, agent_id as "agentId", name, role, circuit, reason from claimed
    order by namespace, revision`.execute(db);
  return rows;
}
