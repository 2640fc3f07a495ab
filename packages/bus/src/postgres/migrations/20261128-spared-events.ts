// What retention needs to spare the events of other sources from one that floods a log.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table bus_logs
      add column spared_events bigint not null default 0,
      add column spared_bytes bigint not null default 0,
      add column heavy text[] not null default '{}'`.execute(db);
  await sql`alter table bus_events add column spared_after integer`.execute(db);
  await sql`create index bus_events_spared on bus_events (namespace, seq) where spared_after is not null`.execute(db);
  await sql`
    create table bus_flows (
      namespace text collate "C" not null,
      source text collate "C" not null,
      events double precision not null,
      bytes double precision not null,
      at_seq bigint not null,
      at_bytes bigint not null,
      primary key (namespace, source)
    ) with (fillfactor = 70)`.execute(db);
}
