// How many consumer groups a namespace has.
import { type Kysely, sql } from 'kysely';
import type { BusSchema } from '../schema.ts';

export async function countGroups(db: Kysely<BusSchema>, namespace: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from bus_groups where namespace = ${namespace}`.execute(db);
  return rows[0]?.count ?? 0;
}
