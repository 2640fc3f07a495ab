// Sessions of browsers, and the codes that open them. Both are stored as hashes (SHA-256).
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table sessions (
      key_hash bytea primary key,
      cookie_hash bytea not null,
      token_hash bytea not null,
      created_at timestamptz not null,
      expires_at timestamptz not null
    )`.execute(db);
  await sql`create index sessions_by_token on sessions (token_hash, created_at)`.execute(db);
  await sql`create index sessions_by_cookie on sessions (cookie_hash)`.execute(db);
  await sql`create index sessions_by_expiry on sessions (expires_at)`.execute(db);
  await sql`
    create table session_codes (
      code_hash bytea primary key,
      token_hash bytea not null,
      expires_at timestamptz not null
    )`.execute(db);
  await sql`create index session_codes_by_expiry on session_codes (expires_at)`.execute(db);
}
