// Removes the oldest entries of the audit.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

/** Entries in one statement, so that none takes long. */
const MAX_ENTRIES = 1000;

/**
 * Removes entries that are older than `maxAgeMs`, the oldest first. Times of a namespace never go back, so what remains of a chain has no
 * hole. Replicas that do it at the same time wait for each other.
 */
export async function cutEntries(db: Kysely<Schema>, maxAgeMs: number): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ count: number }>`
      with old as (
        select namespace, seq from audit_entries
        where at < now() - ${maxAgeMs} * interval '1 millisecond'
        order by at, namespace, seq limit ${MAX_ENTRIES}
        for update
      ), gone as (
        delete from audit_entries e using old o where e.namespace = o.namespace and e.seq = o.seq returning 1
      )
      select count(*)::int as count from gone`.execute(db);
    if ((rows[0]?.count ?? 0) < MAX_ENTRIES) return;
  }
}
