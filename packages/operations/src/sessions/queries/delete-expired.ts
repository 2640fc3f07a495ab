// Removes sessions and codes whose time has passed.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

export async function deleteExpired(db: Kysely<Schema>): Promise<void> {
  await sql`
    with codes as (delete from session_codes where expires_at <= now())
    delete from sessions where expires_at <= now()`.execute(db);
}
