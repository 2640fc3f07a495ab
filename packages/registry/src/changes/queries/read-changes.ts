// Reads the change log of a namespace after a revision.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import { sizeOf } from '../../documents/agent-row.ts';
import { type Change, type ChangeRow, toChange } from '../change.ts';

/** Of the agents before and after the changes in a page that has more than one. */
const PAGE_BYTES = 1024 * 1024;

/**
 * At most `limit` changes after `after`, and about 1 MiB of them, in order, without a hole. Null when the log does not reach back to `after`
 * (it was compacted), or has never been as far.
 */
export async function readChanges(
  db: Kysely<Schema>,
  namespace: string,
  { after, limit, coreLeaseMs }: { after: number; limit: number; coreLeaseMs: number },
): Promise<Change[] | null> {
  const { rows } = await sql<{ head: number; horizon: number; found: boolean } & ChangeRow>`
    select coalesce(n.revision, 0) as head, coalesce(n.horizon, 0) as horizon,
      c.revision is not null as found, c.revision, c.change, c.before, c.after, c.at
    from (select 1) as one
    left join namespaces n on n.namespace = ${namespace}
    left join lateral (
      select *, row_number() over so_far as place,
        sum(${sizeOf(sql`after`)} + coalesce(${sizeOf(sql`before`)}, 0)) over so_far as bytes
      from (
        select * from changes where namespace = ${namespace} and revision > ${after} order by revision limit ${limit}
      ) page
      window so_far as (order by revision)
    ) c on c.bytes <= ${PAGE_BYTES} or c.place = 1
    order by c.revision`.execute(db);
  const [first] = rows;
  if (first === undefined || after < first.horizon || after > first.head) return null;
  return rows.filter(({ found }) => found).map((row) => toChange(row, coreLeaseMs));
}
