// Where the chains of the audit end.
import { type Kysely, sql } from 'kysely';
import type { AuditHeadTable, Schema } from '../../schema.ts';

/** Those that changed last, at most `limit`. */
export async function readHeads(db: Kysely<Schema>, limit: number): Promise<AuditHeadTable[]> {
  const { rows } = await sql<AuditHeadTable>`
    select namespace, seq, at, hash from audit_heads order by at desc, namespace limit ${limit}`.execute(db);
  return rows;
}
