// How many agents of a namespace are healthy now.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

export async function countHealthy(db: Kysely<Schema>, namespace: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from agents
    where namespace = ${namespace} and doc #>> '{status,health}' = 'healthy'`.execute(db);
  return rows[0]?.count ?? 0;
}
