// Agents that no replica has come to probe, and that do not show it yet. They keep their place among those that are due.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import { dueProbeColumns, type DueProbe } from './claim-probes.ts';

/** At most `limit` agents whose probe was due `overdueMs` ago. */
export async function readOverdueProbes(
  db: Kysely<Schema>,
  { overdueMs, limit }: { overdueMs: number; limit: number },
): Promise<DueProbe[]> {
  const { rows } = await sql<DueProbe>`
    select ${dueProbeColumns} from agents a
    where jsonb_typeof(a.doc -> 'healthUrl') = 'string'
      and a.probe_at <= now() - ${overdueMs} * interval '1 millisecond'
      and (a.liveness -> 'unprobed' is null or a.liveness ->> 'incarnation' is distinct from a.incarnation::text)
    order by a.probe_at
    limit ${limit}`.execute(db);
  return rows;
}
