// Reads the change log of a namespace after a revision.
import { type Kysely, type RawBuilder, sql } from 'kysely';
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
    with recursive measured as (
      (${nextChange(namespace, sql`${after}::bigint`)})
      union all
      select next.revision, so_far.bytes + next.bytes, so_far.place + 1 from measured so_far
      cross join lateral (${nextChange(namespace, sql`so_far.revision`)}) next
      where so_far.bytes < ${PAGE_BYTES} and so_far.place < ${limit}
    )
    select coalesce(n.revision, 0) as head, coalesce(n.horizon, 0) as horizon,
      c.revision is not null as found, c.revision, c.change, c.before, c.after, c.at
    from (select 1) as one
    left join namespaces n on n.namespace = ${namespace}
    left join (
      select c.* from measured
      join changes c on c.namespace = ${namespace} and c.revision = measured.revision
      where measured.bytes <= ${PAGE_BYTES} or measured.place = 1
    ) c on true
    order by c.revision`.execute(db);
  const [first] = rows;
  if (first === undefined || after < first.horizon || after > first.head) return null;
  return rows.filter(({ found }) => found).map((row) => toChange(row, coreLeaseMs));
}

/** The change after `after`, and its size. One after the other, so that no more are written out, to be measured, than the page has. */
const nextChange = (namespace: string, after: RawBuilder<unknown>) => sql`
  select revision, ${sizeOf(sql`after`)} + coalesce(${sizeOf(sql`before`)}, 0) as bytes, 1 as place
  from changes where namespace = ${namespace} and revision > ${after} order by revision limit 1`;
