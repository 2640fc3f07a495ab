// Ends a session.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

/** Whether no other session uses the cookie of the one that ended. The hash is in hexadecimal. */
export async function deleteSession(db: Kysely<Schema>, key: string): Promise<boolean> {
  const { rows } = await sql<{ others: boolean }>`
    with ended as (delete from sessions where key_hash = decode(${key}, 'hex') returning key_hash, cookie_hash)
    select exists (
      select from sessions s where s.cookie_hash = ended.cookie_hash and s.key_hash <> ended.key_hash and s.expires_at > now()
    ) as others
    from ended`.execute(db);
  return rows[0]?.others !== true;
}
