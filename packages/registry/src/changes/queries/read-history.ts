// The changes of one agent, newest first.
import { LIMITS } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import { measuredWithin } from '../../documents/agent-row.ts';
import type { Schema } from '../../schema.ts';
import { type Change, type ChangeRow, toChange } from '../change.ts';

/**
 * At most `limit` changes before revision `before` (null: from the newest), and `LIMITS.pageBytes` of them; whether there are more;
 * and how far back the log reaches. They come without the agents before them.
 */
export async function readHistory(
  db: Kysely<Schema>,
  namespace: string,
  name: string,
  { before, limit, coreLeaseMs }: { before: number | null; limit: number; coreLeaseMs: number },
): Promise<{ changes: Change[]; hasMore: boolean; horizon: number }> {
  const { rows } = await sql<{ horizon: number; found: boolean; among: number } & ChangeRow>`
    select coalesce(n.horizon, 0) as horizon, c.revision is not null as found, c.among,
      c.revision, c.change, null::jsonb as before, c.after, c.at
    from (select 1) as one
    left join namespaces n on n.namespace = ${namespace}
    left join lateral (
      select *, sum(${measuredWithin(LIMITS.pageBytes, sql`after`)}) over (order by place) as bytes
      from (
        select revision, change, after, at, count(*) over () as among,
          row_number() over newest as place, sum(pg_column_size(after)) over newest as stored
        from (
          select revision, change, after, at from changes
          where namespace = ${namespace} and name = ${name} and (${before}::bigint is null or revision < ${before})
          order by revision desc limit ${limit + 1}
        ) page
        window newest as (order by revision desc)
      ) stored
    ) c on c.place <= ${limit} and (c.bytes <= ${LIMITS.pageBytes} or c.place = 1)
    order by c.revision desc`.execute(db);
  const shown = rows.filter(({ found }) => found);
  return {
    horizon: rows[0]?.horizon ?? 0,
    changes: shown.map((row) => toChange(row, coreLeaseMs)),
    hasMore: shown.some(({ among }) => among > shown.length),
  };
}
