// Forgets what has been told of circuits.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import type { CircuitNews } from './claim-circuit-changes.ts';

export async function deleteCircuitNews(db: Kysely<Schema>, told: readonly CircuitNews[]): Promise<void> {
  if (told.length === 0) return;
  await sql`
    delete from circuit_news n
    using unnest(
      ${told.map(({ namespace }) => namespace)}::text[],
      ${told.map(({ revision }) => revision)}::bigint[]
    ) as t(namespace, revision)
    where n.namespace = t.namespace and n.revision = t.revision`.execute(db);
}
