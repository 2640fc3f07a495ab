// Deliveries that do not count, or whose deadline passed, and the signs of life of members.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table bus_deliveries
      add column uncounted integer not null default 0,
      add column passed boolean not null default false`.execute(db);
  await sql`
    create table bus_members (
      namespace text collate "C" not null,
      group_name text collate "C" not null,
      consumer text collate "C" not null,
      sign_at timestamptz not null,
      missed bigint not null,
      primary key (namespace, group_name, consumer)
    ) with (fillfactor = 70)`.execute(db);
}
