// How many agents of a namespace that count for the mass-failure guard are healthy now, up to a bound.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import { LEASES_TO_COUNT, longestCountedMs } from '../mass-failure-guard.ts';

/** Those that counted at `countsBy` (milliseconds since the epoch) already. Stops counting at `atMost`. */
export async function countHealthy(
  db: Kysely<Schema>,
  namespace: string,
  { atMost, countsBy, coreLeaseMs }: { atMost: number; countsBy: number; coreLeaseMs: number },
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (
      select from agents where namespace = ${namespace} and doc #>> '{status,health}' = 'healthy'
        and (jsonb_typeof(doc -> 'healthUrl') = 'string' or coalesce(lease_ms, 0) <= ${longestCountedMs(coreLeaseMs)}::float8)
        and (doc ->> 'registeredAt')::timestamptz <= ${new Date(countsBy).toISOString()}::timestamptz
          - ${LEASES_TO_COUNT} * greatest(lease_ms, ${coreLeaseMs}::float8) * interval '1 millisecond'
      limit ${atMost}
    ) healthy`.execute(db);
  return rows[0]?.count ?? 0;
}
