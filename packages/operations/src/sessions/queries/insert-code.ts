// Stores a code that signs in once.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

export interface NewCode {
  readonly code: Buffer;
  readonly token: Buffer;
  readonly lifeMs: number;
}

/** When it stops counting. */
export async function insertCode(db: Kysely<Schema>, { code, token, lifeMs }: NewCode): Promise<Date> {
  const { rows } = await sql<{ expires_at: Date }>`
    insert into session_codes (code_hash, token_hash, expires_at)
    values (${code}, ${token}, now() + ${lifeMs}::double precision * interval '1 millisecond')
    returning expires_at`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('a code that was stored was not returned');
  return row.expires_at;
}
