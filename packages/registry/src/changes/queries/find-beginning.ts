// How far back a replica that begins to follow a change log reads it.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import type { Head } from './read-heads.ts';

/** Changes that are read back, so that watchers of a predecessor resume from memory. */
const MAX_CHANGES = 2000;
/** Most bytes of them, as the store has them, compressed: with larger agents they would take long to read, and the ring holds few. */
const MAX_STORED_BYTES = 4 * 1024 * 1024;

/** The revision after which the log is read. */
export async function findBeginning(
  db: Kysely<Schema>,
  namespace: string,
  { revision, horizon }: Head,
): Promise<number> {
  if (revision === horizon) return revision;
  const { rows } = await sql<{ oldest: number | null }>`
    select min(revision) as oldest from (
      select revision, sum(pg_column_size(after) + coalesce(pg_column_size(before), 0)) over (order by revision desc) as bytes
      from changes
      where namespace = ${namespace} and revision > ${Math.max(horizon, revision - MAX_CHANGES)} and revision <= ${revision}
    ) recent
    where bytes <= ${MAX_STORED_BYTES}`.execute(db);
  const oldest = rows[0]?.oldest ?? null;
  return oldest === null ? revision : oldest - 1;
}
