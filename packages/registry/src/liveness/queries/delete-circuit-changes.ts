// Deletes changes of circuits that were delivered.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import type { CircuitChange } from './claim-circuit-changes.ts';

export async function deleteCircuitChanges(db: Kysely<Schema>, delivered: readonly CircuitChange[]): Promise<void> {
  if (delivered.length === 0) return;
  await sql`
    delete from circuit_news n
    using unnest(
      ${delivered.map(({ namespace }) => namespace)}::text[],
      ${delivered.map(({ revision }) => revision)}::bigint[]
    ) as t(namespace, revision)
    where n.namespace = t.namespace and n.revision = t.revision`.execute(db);
}
