// What steering needs to know of a consumer group: its id, its settings' versions, a pause, lives, a cursor that was set back. And
// when the newest event of a log was appended, since times must not go back where a time is searched for.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // The default gives every group an id, also those that a replica of the release before makes.
  await sql`
    alter table bus_groups
      add column id text collate "C" not null default gen_random_uuid()::text,
      add column version bigint not null default 1,
      add column made jsonb,
      add column paused jsonb,
      add column maker text collate "C",
      add column owned_by text collate "C",
      add column made_by text,
      add column made_at timestamptz,
      add column lives bigint not null default 0,
      add column replay_epoch text collate "C",
      add column replay_seq bigint,
      add column replay_nonce integer,
      add column replay_life integer,
      add column sought jsonb not null default '[]'`.execute(db);
  await sql`alter table bus_logs add column head_at timestamptz`.execute(db);
  await sql`create index bus_groups_by_maker on bus_groups (namespace, maker) where maker is not null`.execute(db);
  await sql`create index bus_groups_owned on bus_groups (namespace, name) where owned_by is not null`.execute(db);
  await sql`
    create table bus_deleted_groups (
      namespace text collate "C" not null,
      id text collate "C" not null,
      at timestamptz not null,
      primary key (namespace, id)
    )`.execute(db);
  await sql`create index bus_deleted_groups_by_age on bus_deleted_groups (namespace, at)`.execute(db);
}
