// Liveness: what is remembered of each agent's failures and circuit, when its healthUrl is due, and which replica judges.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table agents add column liveness jsonb, add column probe_at timestamptz`.execute(db);
  await sql`create index agents_with_liveness on agents (namespace, name) where liveness is not null`.execute(db);
  await sql`create index agents_to_probe on agents (probe_at nulls first)
    where jsonb_typeof(doc -> 'healthUrl') = 'string'`.execute(db);
  await sql`
    create table duties (
      duty text primary key,
      holder uuid not null,
      until timestamptz not null
    )`.execute(db);
}
