// The audit: the entries of each namespace, and where its chain of hashes ends.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table audit_entries (
      namespace text collate "C" not null,
      seq bigint not null,
      at timestamptz not null,
      actor text not null,
      action text not null,
      target text not null,
      before jsonb,
      after jsonb,
      reason text,
      outcome text not null,
      request_id text not null,
      begun bigint,
      previous bytea not null,
      hash bytea not null,
      primary key (namespace, seq)
    )`.execute(db);
  await sql`create index audit_entries_by_actor on audit_entries (namespace, actor, seq)`.execute(db);
  await sql`create index audit_entries_by_action on audit_entries (namespace, action, seq)`.execute(db);
  await sql`create index audit_entries_by_time on audit_entries (at)`.execute(db);
  await sql`
    create table audit_heads (
      namespace text collate "C" primary key,
      seq bigint not null,
      at timestamptz not null,
      hash bytea not null
    )`.execute(db);
}
