// The versions of policies that are kept, with who put each and when. Begins with those in force, of which that is not known.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table policy_versions (
      namespace text not null,
      version bigint not null,
      rules jsonb not null,
      put_by text,
      put_at timestamptz not null,
      primary key (namespace, version)
    )`.execute(db);
  await sql`
    insert into policy_versions (namespace, version, rules, put_at)
    select namespace, version, rules, updated_at from policies`.execute(db);
}
