// The members of a group, by name. Null: there is no such group.
import { type Kysely, sql } from 'kysely';
import type { StoredMember } from '../../store/group-store.ts';
import type { BusSchema } from '../schema.ts';

export async function listMembers(
  db: Kysely<BusSchema>,
  namespace: string,
  group: string,
): Promise<StoredMember[] | null> {
  const { rows: entered } = await sql<{ found: boolean }>`
    select entered_at is not null as found from bus_enter_group(${namespace}, ${group})`.execute(db);
  if (entered[0]?.found !== true) return null;
  const { rows } = await sql<StoredMember>`
    select m.consumer, d.open as "inFlight", floor(extract(epoch from m.sign_at) * 1000)::bigint as "lastSignAt",
      m.missed > 0 and d.open = 0 as "isSilent"
    from bus_members m cross join lateral (
      select count(*) as open from bus_deliveries d
      where d.namespace = m.namespace and d.group_name = m.group_name and d.state = 'in_flight' and d.consumer = m.consumer
    ) d
    where m.namespace = ${namespace} and m.group_name = ${group} order by m.consumer`.execute(db);
  return rows;
}
