// A page of what a group holds and is not dead. Null: there is no such group.
import { type Kysely, sql } from 'kysely';
import type { OpenPlace, StoredOpenDelivery } from '../../store/group-store.ts';
import type { BusSchema } from '../schema.ts';

export type OpenDeliveryRow = Omit<StoredOpenDelivery, 'position'> & { epoch: string; seq: number; nonce: number };

/** The order is that of milliseconds, which callers see. */
export async function listOpenDeliveries(
  db: Kysely<BusSchema>,
  namespace: string,
  { group, after, limit }: { group: string; after: OpenPlace | null; limit: number },
): Promise<OpenDeliveryRow[] | null> {
  const { rows: entered } = await sql<{ found: boolean }>`
    select entered_at is not null as found from bus_enter_group(${namespace}, ${group})`.execute(db);
  if (entered[0]?.found !== true) return null;
  const { state, dueAt, seq } = after ?? { state: 'in_flight', dueAt: -1, seq: -1 };
  const { rows } = await sql<OpenDeliveryRow>`
    select epoch, seq, nonce, coalesce(substring(text from '"topic":"([^"]*)"'), '') as topic, state, life, attempt, uncounted,
      case when attempt > 0 then consumer end as consumer,
      case when attempt > 0 then floor(extract(epoch from delivered_at) * 1000)::bigint end as "deliveredAt", "dueAt"
    from (
      select *, floor(extract(epoch from due_at) * 1000)::bigint as "dueAt" from bus_deliveries
      where namespace = ${namespace} and group_name = ${group} and state <> 'dead'
        and state >= ${state}::text and due_at >= to_timestamp(case when state = ${state}::text then ${dueAt}::bigint else 0 end / 1000.0)
    ) open
    where (state, "dueAt", seq) > (${state}::text collate "C", ${dueAt}::bigint, ${seq}::bigint)
    order by state, "dueAt", seq limit ${limit}`.execute(db);
  return rows;
}
