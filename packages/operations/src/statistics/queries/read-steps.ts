// The statistics of a namespace over all replicas, step by step.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import type { SeriesRange, StepRow } from '../series.ts';

export async function readSteps(
  db: Kysely<Schema>,
  namespace: string,
  { startMs, stepMs }: SeriesRange,
): Promise<StepRow[]> {
  const { rows } = await sql<StepRow>`
    select bucket - bucket % ${stepMs}::bigint as step, sum(published)::bigint as published, sum(delivered)::bigint as delivered,
      sum(acked)::bigint as acked, sum(redelivered)::bigint as redelivered, sum(dead)::bigint as dead,
      sum(refused)::bigint as refused, max(publish_p99_ms) as "publishP99Ms"
    from statistics where namespace = ${namespace} and bucket >= ${startMs}::bigint
    group by 1 order by 1`.execute(db);
  return rows;
}
