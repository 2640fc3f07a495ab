// Deliveries that do not count.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table bus_deliveries add column uncounted integer not null default 0`.execute(db);
}
