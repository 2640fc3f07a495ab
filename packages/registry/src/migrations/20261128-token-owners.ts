// Which names a join token may register, and which token has registered an agent.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table tokens add column names jsonb`.execute(db);
  // Null: a release that did not note it registered the agent.
  await sql`alter table agents add column registered_by text`.execute(db);
}
