// Moves the horizon of the change logs, and deletes the changes up to it.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

export interface ChangeRetention {
  /** Most changes kept in a namespace. */
  maxChanges: number;
  maxAgeMs: number;
}

/** Rows deleted by one statement, so that no statement takes long. */
const DELETE_BATCH = 5000;

/** Changes checked for their age in one run: times rise with revisions, so the oldest suffice, and no index is needed. */
const AGED_BATCH = 10_000;

/**
 * Applies `retention` to every namespace. The horizon moves before rows go, in its own transaction, so a reader sees
 * either the rows or a horizon past them. Returns how many changes were deleted.
 */
export async function compactChanges(db: Kysely<Schema>, retention: ChangeRetention): Promise<number> {
  const { rows } = await sql<{ namespace: string; horizon: number }>`
    with due as (
      select n.namespace, greatest(
        n.horizon,
        n.revision - ${retention.maxChanges}::bigint,
        (select max(c.revision) from (
            select revision, at from changes
            where namespace = n.namespace and revision > n.horizon order by revision limit ${AGED_BATCH}
          ) c where c.at < now() - ${`${retention.maxAgeMs} milliseconds`}::interval)
      ) as horizon
      from namespaces n
    )
    update namespaces n set horizon = due.horizon
    from due where due.namespace = n.namespace and due.horizon > n.horizon
    returning n.namespace, n.horizon`.execute(db);
  let dropped = 0;
  for (const { namespace, horizon } of rows) dropped += await dropUpTo(db, namespace, horizon);
  return dropped;
}

async function dropUpTo(db: Kysely<Schema>, namespace: string, horizon: number): Promise<number> {
  let dropped = 0;
  for (;;) {
    const { numAffectedRows = 0n } = await sql`
      delete from changes where (namespace, revision) in (
        select namespace, revision from changes
        where namespace = ${namespace} and revision <= ${horizon} order by revision limit ${DELETE_BATCH}
      )`.execute(db);
    dropped += Number(numAffectedRows);
    if (numAffectedRows < DELETE_BATCH) return dropped;
  }
}
