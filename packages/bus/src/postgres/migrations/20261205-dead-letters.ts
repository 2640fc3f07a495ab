// Bounds of dead letters and what is known of deaths, the secrets behind the ids of deliveries, and how fast groups acknowledge.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // The default gives every group a secret, also those that a replica of the release before makes. Two UUIDs have 244 random bits.
  await sql`
    alter table bus_groups
      add column secret text collate "C" not null
        default replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''),
      add column unsigned_until timestamptz,
      add column counted_deaths bigint,
      add column dead_count bigint,
      add column dead_bytes bigint,
      add column dead_reasons jsonb not null default '{}',
      add column unreported jsonb,
      add column reported_at timestamptz,
      add column acked_minute bigint not null default 0,
      add column acked bigint not null default 0,
      add column acked_before bigint not null default 0`.execute(db);
  // Deliveries of these groups may be under way with ids that have no proof.
  await sql`update bus_groups set unsigned_until = clock_timestamp() + interval '24 hours'`.execute(db);
  await sql`create index bus_groups_unreported on bus_groups (namespace, name) where unreported is not null`.execute(
    db,
  );
}
