// Adds entries to the chain of a namespace, in one transaction.
import { type AuditContent, auditDigest } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

/** Returns the `seq` of each. */
export async function appendEntries(
  db: Kysely<Schema>,
  namespace: string,
  entries: readonly AuditContent[],
): Promise<number[]> {
  const hashed = await Promise.all(
    entries.map(async (entry) => Object.assign({ digest: await auditDigest(entry) }, entry)),
  );
  const { rows } = await sql<{ seq: number }>`
    select seq from append_audit(${namespace}, ${JSON.stringify(hashed)}::jsonb) order by ord`.execute(db);
  return rows.map(({ seq }) => seq);
}
