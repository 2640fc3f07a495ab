// Reads the change log of a namespace after a revision.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import { type Change, type ChangeRow, toChange } from '../change.ts';

/**
 * At most `limit` changes after `after`, in order, without a hole. Null when the log does not reach back to `after`
 * (it was compacted), or has never been as far.
 */
export async function readChanges(
  db: Kysely<Schema>,
  namespace: string,
  after: number,
  limit: number,
): Promise<Change[] | null> {
  const { rows } = await sql<{ head: number; horizon: number; found: boolean } & ChangeRow>`
    select coalesce(n.revision, 0) as head, coalesce(n.horizon, 0) as horizon,
      c.revision is not null as found, c.revision, c.change, c.before, c.after, c.at
    from (select 1) as one
    left join namespaces n on n.namespace = ${namespace}
    left join lateral (
      select * from changes where namespace = ${namespace} and revision > ${after} order by revision limit ${limit}
    ) c on true
    order by c.revision`.execute(db);
  const [first] = rows;
  if (first === undefined || after < first.horizon || after > first.head) return null;
  return rows.filter(({ found }) => found).map(toChange);
}
