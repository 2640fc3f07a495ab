// How many agents of a namespace that have lived long enough are healthy now, up to a bound.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

/** Those that were registered at `registeredBy` (milliseconds since the epoch) or earlier. Stops counting at `atMost`. */
export async function countHealthy(
  db: Kysely<Schema>,
  namespace: string,
  { atMost, registeredBy }: { atMost: number; registeredBy: number },
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (
      select from agents where namespace = ${namespace} and doc #>> '{status,health}' = 'healthy'
        and (doc ->> 'registeredAt') collate "C" <= ${new Date(registeredBy).toISOString()} limit ${atMost}
    ) healthy`.execute(db);
  return rows[0]?.count ?? 0;
}
