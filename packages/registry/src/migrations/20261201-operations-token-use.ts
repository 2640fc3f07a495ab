// When a token of an operator was last used.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table tokens add column last_used_at timestamptz`.execute(db);
}
