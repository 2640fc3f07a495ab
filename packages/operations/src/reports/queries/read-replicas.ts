// The replicas that have reported themselves lately.
import { type Kysely, sql } from 'kysely';
import type { ReplicaTable, Schema } from '../../schema.ts';
import { REPLICA_LASTS } from './write-report.ts';

export async function readReplicas(db: Kysely<Schema>): Promise<ReplicaTable[]> {
  const { rows } = await sql<ReplicaTable>`
    select id, version, host, started_at, seen_at, streams, rss_bytes, event_loop_p99_ms, suspended
    from replicas where seen_at > now() - ${sql.lit(REPLICA_LASTS)}::interval
    order by started_at, id`.execute(db);
  return rows;
}
