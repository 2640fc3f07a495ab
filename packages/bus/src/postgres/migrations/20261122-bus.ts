// The bus' tables, and the functions through which logs and consumer groups are written.
import { type Kysely, sql } from 'kysely';
import { GROUP_FUNCTIONS } from './20261122-bus-groups.ts';
import { LOG_FUNCTIONS } from './20261122-bus-logs.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  // Names compare by byte, so that pages, indexes and callers agree on the order whatever the database's locale. The rows
  // that every call changes have room for their next versions beside them, which keeps their indexes out of it.
  await sql`
    create table bus_logs (
      namespace text collate "C" primary key,
      epoch text collate "C" not null,
      head_seq bigint not null default 0,
      head_nonce integer not null default 0,
      head_bytes bigint not null default 0,
      horizon_seq bigint not null default 0,
      horizon_nonce integer not null default 0,
      horizon_bytes bigint not null default 0,
      swept_seq bigint not null default 0
    ) with (fillfactor = 40)`.execute(db);
  await sql`
    create table bus_events (
      namespace text collate "C" not null,
      seq bigint not null,
      nonce integer not null,
      bytes bigint not null,
      at timestamptz not null,
      topic text collate "C" not null,
      text text not null,
      primary key (namespace, seq)
    )`.execute(db);
  await sql`
    create table bus_dedup (
      namespace text collate "C" not null,
      source text collate "C" not null,
      id uuid not null,
      seq bigint not null,
      nonce integer not null,
      at timestamptz not null,
      primary key (namespace, source, id)
    )`.execute(db);
  await sql`create index bus_dedup_by_age on bus_dedup (at)`.execute(db);
  await sql`
    create table bus_topics (
      namespace text collate "C" not null,
      topic text collate "C" not null,
      count bigint not null,
      minute bigint not null,
      in_minute bigint not null,
      in_minute_before bigint not null default 0,
      last_seq bigint not null,
      last_nonce integer not null,
      primary key (namespace, topic)
    ) with (fillfactor = 70)`.execute(db);
  await sql`
    create table bus_groups (
      namespace text collate "C" not null,
      name text collate "C" not null,
      topics text[] collate "C" not null,
      ack_deadline_ms bigint not null,
      max_deliveries integer not null,
      cursor_epoch text collate "C" not null,
      cursor_seq bigint not null,
      cursor_nonce integer not null,
      deaths bigint not null default 0,
      primary key (namespace, name)
    ) with (fillfactor = 40)`.execute(db);
  await sql`
    create table bus_deliveries (
      namespace text collate "C" not null,
      group_name text collate "C" not null,
      seq bigint not null,
      nonce integer not null,
      epoch text collate "C" not null,
      state text collate "C" not null check (state in ('in_flight', 'waiting', 'dead')),
      life integer not null default 0,
      attempt integer not null,
      consumer text collate "C",
      delivered_at timestamptz,
      due_at timestamptz,
      dead_at timestamptz,
      ordinal bigint,
      history jsonb not null default '[]',
      text text not null,
      primary key (namespace, group_name, seq, nonce, epoch)
    )`.execute(db);
  await sql`
    create index bus_deliveries_by_time on bus_deliveries (namespace, group_name, state, due_at, seq)
    where state <> 'dead'`.execute(db);
  await sql`
    create index bus_deliveries_of_consumers on bus_deliveries (namespace, group_name, consumer)
    where state = 'in_flight'`.execute(db);
  await sql`
    create index bus_deliveries_by_death on bus_deliveries (namespace, group_name, ordinal)
    where state = 'dead'`.execute(db);
  for (const definition of [...LOG_FUNCTIONS, ...GROUP_FUNCTIONS]) await definition.execute(db);
}
