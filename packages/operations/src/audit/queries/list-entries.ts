// A page of the audit of a namespace, newest first.
import { type Kysely, sql } from 'kysely';
import type { AuditEntryTable, Schema } from '../../schema.ts';

export interface AuditPage {
  /** Any of these; null: all. */
  actors: readonly string[] | null;
  action: string | null;
  /** Only entries before this one. */
  before: number | null;
  limit: number;
}

export async function listEntries(
  db: Kysely<Schema>,
  namespace: string,
  { actors, action, before, limit }: AuditPage,
): Promise<AuditEntryTable[]> {
  const { rows } = await sql<AuditEntryTable>`
    select namespace, seq, at, actor, action, target, before, after, reason, outcome, request_id, begun, previous, hash
    from audit_entries
    where namespace = ${namespace}
      and (${before}::bigint is null or seq < ${before}::bigint)
      and (${actors}::text[] is null or actor = any(${actors}::text[]))
      and (${action}::text is null or action = ${action}::text)
    order by seq desc limit ${limit}`.execute(db);
  return rows;
}
