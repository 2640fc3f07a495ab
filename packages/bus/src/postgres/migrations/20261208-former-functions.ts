// The functions that only replicas of releases before the last one called.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop function if exists bus_claim(text, text, text, bigint, bigint, bigint, jsonb, bigint[], integer[])`.execute(
    db,
  );
  await sql`drop function if exists bus_ack(text, text, text[], bigint[], bigint[])`.execute(db);
  await sql`drop function if exists bus_open_group(text, text, text[], bigint, integer, boolean)`.execute(db);
}
