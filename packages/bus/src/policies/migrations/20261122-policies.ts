// The policies of namespaces: one row each, replaced as a whole.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table policies (
      namespace text primary key,
      version bigint not null,
      rules jsonb not null,
      updated_at timestamptz not null default now()
    )`.execute(db);
}
