// Everything that a replica reports, in one statement.
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import type { StatisticsRow } from '../../statistics/statistics.ts';
import type { TrafficRow } from '../../traffic/traffic.ts';
import type { ReplicaState } from '../replica-state.ts';

/** After how long a replica that does not report itself has vanished. */
export const REPLICA_LASTS = '1 minute';
/** How long statistics and traffic are kept: a little longer than they can be asked for. */
const STATISTICS_LAST_MS = 25 * 3_600_000;
const TRAFFIC_LASTS_MS = 65 * 60_000;
/** Old rows that one report deletes. */
const MAX_OLD = 5000;

export interface Report {
  readonly replica: ReplicaState;
  readonly statistics: readonly StatisticsRow[];
  readonly traffic: readonly TrafficRow[];
  /** Statements of other packages. */
  readonly parts: readonly RawBuilder<unknown>[];
  /** The process ends: its row is deleted. */
  readonly isLast: boolean;
}

/** Old rows are deleted by whichever replica comes first; the others pass over what it has locked. */
const old = (table: 'statistics' | 'traffic', lastMs: number) => sql`
  delete from ${sql.table(table)} where (namespace, bucket, replica) in (
    select namespace, bucket, replica from ${sql.table(table)}
    where bucket < (extract(epoch from now()) * 1000)::bigint - ${lastMs}::bigint
    order by bucket limit ${MAX_OLD} for update skip locked
  )`;

const ownRow = ({ id, version, host, startedAt, streams, rssBytes, eventLoopP99Ms, suspended }: ReplicaState) => sql`
  insert into replicas (id, version, host, started_at, seen_at, streams, rss_bytes, event_loop_p99_ms, suspended)
  values (${id}, ${version}, ${host}, ${startedAt}, now(), ${JSON.stringify(streams)}::jsonb, ${rssBytes}, ${eventLoopP99Ms},
    ${suspended}::text[])
  on conflict (id) do update set seen_at = excluded.seen_at, streams = excluded.streams, rss_bytes = excluded.rss_bytes,
    event_loop_p99_ms = excluded.event_loop_p99_ms, suspended = excluded.suspended`;

const statisticsRows = (replica: string, rows: readonly StatisticsRow[]) => sql`
  insert into statistics (namespace, bucket, replica, published, delivered, acked, redelivered, dead, refused, publish_p99_ms)
  select namespace, bucket, ${replica}::uuid, published, delivered, acked, redelivered, dead, refused, "publishP99Ms"
  from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(
    namespace text, bucket bigint, published bigint, delivered bigint, acked bigint, redelivered bigint, dead bigint,
    refused bigint, "publishP99Ms" double precision)
  on conflict (namespace, bucket, replica) do update set published = excluded.published, delivered = excluded.delivered,
    acked = excluded.acked, redelivered = excluded.redelivered, dead = excluded.dead, refused = excluded.refused,
    publish_p99_ms = excluded.publish_p99_ms`;

const trafficRows = (replica: string, rows: readonly TrafficRow[]) => sql`
  insert into traffic (namespace, bucket, replica, edges, other)
  select namespace, bucket, ${replica}::uuid, edges, other
  from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(namespace text, bucket bigint, edges jsonb, other bigint)
  on conflict (namespace, bucket, replica) do update set edges = excluded.edges, other = excluded.other`;

export async function writeReport(
  db: Kysely<Schema>,
  { replica, statistics, traffic, parts, isLast }: Report,
): Promise<void> {
  const written = [
    isLast ? sql`delete from replicas where id = ${replica.id}` : ownRow(replica),
    sql`delete from replicas where id in (
      select id from replicas where seen_at < now() - ${sql.lit(REPLICA_LASTS)}::interval and id <> ${replica.id} for update skip locked
    )`,
    ...(statistics.length === 0 ? [] : [statisticsRows(replica.id, statistics)]),
    ...(traffic.length === 0 ? [] : [trafficRows(replica.id, traffic)]),
    old('statistics', STATISTICS_LAST_MS),
    old('traffic', TRAFFIC_LASTS_MS),
    ...parts,
  ];
  const steps = written.map((statement, index) => sql`${sql.ref(`step_${index}`)} as (${statement})`);
  await sql`with ${sql.join(steps)} select 1`.execute(db);
}
