// Uses a code up.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

/** The hash of its token in hexadecimal; null when there is no such code, when it was used, and when its time has passed. */
export async function takeCode(db: Kysely<Schema>, code: Buffer): Promise<string | null> {
  const { rows } = await sql<{ token: string; counts: boolean }>`
    delete from session_codes where code_hash = ${code}
    returning encode(token_hash, 'hex') as token, expires_at > now() as counts`.execute(db);
  const [row] = rows;
  return row?.counts === true ? row.token : null;
}
