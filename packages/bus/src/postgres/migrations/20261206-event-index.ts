// The index of the ids of events, and where in each log it begins.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table bus_events add column id_key bigint`.execute(db);
  await sql`create index bus_events_by_id on bus_events (id_key) where id_key is not null`.execute(db);
  await sql`alter table bus_logs add column indexed_from bigint`.execute(db);
}
