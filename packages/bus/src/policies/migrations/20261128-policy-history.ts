// The versions of policies that are kept, with who put each and when.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table policy_versions (
      namespace text not null,
      version bigint not null,
      rules jsonb not null,
      put_by text not null,
      put_at timestamptz not null,
      primary key (namespace, version)
    )`.execute(db);
}
