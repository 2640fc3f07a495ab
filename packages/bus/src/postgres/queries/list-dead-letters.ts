// A page of a group's dead letters in the order of their deaths. Null: there is no such group.
import { type Kysely, sql } from 'kysely';
import type { StoredAttempt } from '../../store/group-store.ts';
import type { BusSchema } from '../schema.ts';

export interface DeadLetterRow {
  epoch: string;
  seq: number;
  nonce: number;
  life: number;
  attempt: number;
  text: string;
  deadAt: number;
  history: StoredAttempt[];
  ordinal: number;
}

export async function listDeadLetters(
  db: Kysely<BusSchema>,
  namespace: string,
  { group, after, limit }: { group: string; after: number | null; limit: number },
): Promise<DeadLetterRow[] | null> {
  const { rows: entered } = await sql<{ found: boolean }>`
    select entered_at is not null as found from bus_enter_group(${namespace}, ${group})`.execute(db);
  if (entered[0]?.found !== true) return null;
  const { rows } = await sql<DeadLetterRow>`
    select epoch, seq, nonce, life, attempt, text, floor(extract(epoch from dead_at) * 1000)::bigint as "deadAt", history, ordinal
    from bus_deliveries
    where namespace = ${namespace} and group_name = ${group} and state = 'dead' and ordinal > ${after ?? 0}::bigint
    order by ordinal limit ${limit}`.execute(db);
  return rows;
}
