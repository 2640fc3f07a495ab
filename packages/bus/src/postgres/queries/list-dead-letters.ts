// A page of a group's dead letters in the order of their deaths, and whether there are more. Null: there is no such group.
import { type Kysely, sql } from 'kysely';
import type { StoredAttempt } from '../../store/group-store.ts';
import type { BusSchema } from '../schema.ts';

/** Of texts and histories in a page; at least one letter is returned. */
const PAGE_BYTES = 4 * 1024 * 1024;

export interface DeadLetterRow {
  epoch: string;
  seq: number;
  nonce: number;
  life: number;
  attempt: number;
  uncounted: number;
  text: string;
  deadAt: number;
  history: StoredAttempt[];
  ordinal: number;
}

export async function listDeadLetters(
  db: Kysely<BusSchema>,
  namespace: string,
  { group, after, limit }: { group: string; after: number | null; limit: number },
): Promise<{ rows: DeadLetterRow[]; isMore: boolean } | null> {
  const { rows: entered } = await sql<{ found: boolean }>`
    select entered_at is not null as found from bus_enter_group(${namespace}, ${group})`.execute(db);
  if (entered[0]?.found !== true) return null;
  const { rows: found } = await sql<DeadLetterRow & { among: number }>`
    select epoch, seq, nonce, life, attempt, uncounted, text, "deadAt", history, ordinal, among from (
      select *, count(*) over () as among, sum(bytes) over (order by ordinal) - bytes as before from (
        select epoch, seq, nonce, life, attempt, uncounted, text,
          floor(extract(epoch from dead_at) * 1000)::bigint as "deadAt", history, ordinal,
          octet_length(text) + pg_column_size(history) as bytes
        from bus_deliveries
        where namespace = ${namespace} and group_name = ${group} and state = 'dead' and ordinal > ${after ?? 0}::bigint
        order by ordinal limit ${limit + 1}
      ) dead
    ) dead
    where before < ${PAGE_BYTES} order by ordinal limit ${limit}`.execute(db);
  const isMore = found.some(({ among }) => among > found.length);
  return { rows: found.map(({ among: _, ...row }) => row), isMore };
}
