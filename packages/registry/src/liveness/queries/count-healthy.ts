// How many agents of a namespace are healthy now, up to a bound.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

/** Stops counting at `atMost`. */
export async function countHealthy(
  db: Kysely<Schema>,
  namespace: string,
  { atMost }: { atMost: number },
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (
      select from agents where namespace = ${namespace} and doc #>> '{status,health}' = 'healthy' limit ${atMost}
    ) healthy`.execute(db);
  return rows[0]?.count ?? 0;
}
