// Questions of agents to people, how far each log of events was read for them, and which replica reads.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table questions (
      namespace text collate "C" not null,
      agent text collate "C" not null,
      question_id uuid not null,
      seq bigint generated always as identity,
      asked jsonb not null,
      origin jsonb not null,
      asked_at timestamptz not null,
      expires_at timestamptz,
      state text not null,
      outcome jsonb,
      ended_at timestamptz,
      settled boolean not null,
      event_id uuid,
      pending_since timestamptz,
      primary key (namespace, agent, question_id)
    )`.execute(db);
  await sql`create index questions_by_state on questions (namespace, state, seq)`.execute(db);
  await sql`create index questions_by_expiry on questions (expires_at) where state = 'open'`.execute(db);
  await sql`create index questions_pending on questions (pending_since) where pending_since is not null`.execute(db);
  await sql`
    create table question_logs (
      namespace text collate "C" primary key,
      position text,
      used_at timestamptz not null
    )`.execute(db);
  await sql`
    create table question_duty (
      duty text primary key,
      holder uuid not null,
      until timestamptz not null
    )`.execute(db);
}
