// Claims changes of circuits that are due, for one replica: until the claim ends or the change is deleted.
import type { CircuitState } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

/** A change of an agent's circuit: its state as of `revision`, and why. */
export interface CircuitChange {
  readonly namespace: string;
  readonly revision: number;
  readonly agentId: string;
  readonly name: string;
  readonly role: string;
  readonly circuit: CircuitState;
  readonly reason: string | null;
}

/** At most `limit`, in the order of their commits. */
export async function claimCircuitChanges(
  db: Kysely<Schema>,
  { forMs, limit }: { forMs: number; limit: number },
): Promise<CircuitChange[]> {
  const { rows } = await sql<CircuitChange>`
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
