// What replicas report: themselves, what they counted, and who talked to whom.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table replicas (
      id uuid primary key,
      version text not null,
      host text not null,
      started_at timestamptz not null,
      seen_at timestamptz not null,
      streams jsonb not null,
      rss_bytes bigint not null,
      event_loop_p99_ms double precision not null,
      suspended text[] not null
    )`.execute(db);
  // Buckets are where they begin, in milliseconds since the epoch.
  await sql`
    create table statistics (
      namespace text collate "C" not null,
      bucket bigint not null,
      replica uuid not null,
      published bigint not null,
      delivered bigint not null,
      acked bigint not null,
      redelivered bigint not null,
      dead bigint not null,
      refused bigint not null,
      publish_p99_ms double precision,
      primary key (namespace, bucket, replica)
    )`.execute(db);
  await sql`create index statistics_by_time on statistics (bucket)`.execute(db);
  await sql`
    create table traffic (
      namespace text collate "C" not null,
      bucket bigint not null,
      replica uuid not null,
      edges jsonb not null,
      other bigint not null,
      primary key (namespace, bucket, replica)
    )`.execute(db);
  await sql`create index traffic_by_time on traffic (bucket)`.execute(db);
}
