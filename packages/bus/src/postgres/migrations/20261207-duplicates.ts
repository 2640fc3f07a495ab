// How often each event was published again, as long as deduplication remembers it.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table bus_dedup add column duplicates integer not null default 0`.execute(db);
}
