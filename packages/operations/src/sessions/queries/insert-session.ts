// Stores a new session.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

export interface NewSession {
  readonly key: Buffer;
  readonly token: Buffer;
  /** Of the cookies that the browser sent. */
  readonly sentCookies: readonly Buffer[];
  /** Of the cookie that it gets, unless it has one. */
  readonly newCookie: Buffer;
  readonly lifeMs: number;
  /** When the token ends; null: at no time that is known. */
  readonly tokenExpiresAt: Date | null;
}

/** Sessions of one token. The oldest one ends when there would be more. */
const MAX_OF_TOKEN = 100;

/**
 * The hash of its cookie in hexadecimal. A browser keeps the cookie that it has while a session uses it, so that tabs that sign in one after
 * another stay signed in.
 */
export async function insertSession(
  db: Kysely<Schema>,
  { key, token, sentCookies, newCookie, lifeMs, tokenExpiresAt }: NewSession,
): Promise<{ cookie: string; expiresAt: Date }> {
  const { rows } = await sql<{ cookie: string; expires_at: Date }>`
    with surplus as (
      delete from sessions where key_hash in (
        select key_hash from sessions where token_hash = ${token} order by created_at desc, key_hash offset ${MAX_OF_TOKEN - 1}::int
      )
    )
    insert into sessions (key_hash, cookie_hash, token_hash, created_at, expires_at)
    select ${key}::bytea,
      coalesce(
        (select cookie_hash from sessions where cookie_hash = any(${sentCookies}::bytea[]) and expires_at > now() limit 1),
        ${newCookie}::bytea),
      ${token}::bytea, now(), least(now() + ${lifeMs}::double precision * interval '1 millisecond', ${tokenExpiresAt}::timestamptz)
    returning encode(cookie_hash, 'hex') as cookie, expires_at`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('a session that was stored was not returned');
  return { cookie: row.cookie, expiresAt: row.expires_at };
}
