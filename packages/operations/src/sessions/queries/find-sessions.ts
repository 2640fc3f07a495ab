// Looks up sessions by the hashes of their keys.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

export interface SessionRow {
  key: string;
  cookie: string;
  token: string;
  expires_at: Date;
}

/** The sessions that have not ended, by the hash of their key; all hashes in hexadecimal. */
export async function findSessions(db: Kysely<Schema>, keys: readonly string[]): Promise<Map<string, SessionRow>> {
  const { rows } = await sql<SessionRow>`
    select encode(s.key_hash, 'hex') as key, encode(s.cookie_hash, 'hex') as cookie, encode(s.token_hash, 'hex') as token, s.expires_at
    from unnest(${keys}::text[]) as k(hex)
    join sessions s on s.key_hash = decode(k.hex, 'hex')
    where s.expires_at > now()`.execute(db);
  return new Map(rows.map((row) => [row.key, row]));
}
