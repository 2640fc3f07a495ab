// Which names are free and since when, for how long their former processes are remembered; and when a silent agent had a stream.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table removed_names (
      namespace text collate "C" not null,
      name text collate "C" not null,
      removed_at timestamptz not null,
      primary key (namespace, name)
    )`.execute(db);
  await sql`create index removed_names_by_age on removed_names (removed_at)`.execute(db);
  await sql`
    insert into removed_names (namespace, name, removed_at)
    select i.namespace, i.name, max(i.seen_at) from incarnations i
    where not exists (select from agents a where a.namespace = i.namespace and a.name = i.name)
    group by i.namespace, i.name`.execute(db);
  await sql`alter table agents add column streaming_at timestamptz`.execute(db);
}
