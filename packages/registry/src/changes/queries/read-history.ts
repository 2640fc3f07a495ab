// The changes of one agent, newest first.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import { type Change, type ChangeRow, toChange } from '../change.ts';

/** At most `limit` changes before revision `before` (null: from the newest), and how far back the log reaches. */
export async function readHistory(
  db: Kysely<Schema>,
  namespace: string,
  name: string,
  { before, limit }: { before: number | null; limit: number },
): Promise<{ changes: Change[]; horizon: number }> {
  const { rows } = await sql<{ horizon: number; found: boolean } & ChangeRow>`
    select coalesce(n.horizon, 0) as horizon, c.revision is not null as found,
      c.revision, c.change, c.before, c.after, c.at
    from (select 1) as one
    left join namespaces n on n.namespace = ${namespace}
    left join lateral (
      select * from changes
      where namespace = ${namespace} and name = ${name} and (${before}::bigint is null or revision < ${before})
      order by revision desc limit ${limit}
    ) c on true
    order by c.revision desc`.execute(db);
  return { horizon: rows[0]?.horizon ?? 0, changes: rows.filter(({ found }) => found).map(toChange) };
}
