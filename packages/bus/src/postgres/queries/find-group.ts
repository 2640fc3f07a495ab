// The settings of one group.
import { type Kysely, sql } from 'kysely';
import type { GroupSettings } from '../../store/group-settings.ts';
import type { BusSchema } from '../schema.ts';

export async function findGroup(
  db: Kysely<BusSchema>,
  namespace: string,
  group: string,
): Promise<GroupSettings | undefined> {
  const { rows } = await sql<GroupSettings>`
    select topics, ack_deadline_ms as "ackDeadlineMs", max_deliveries as "maxDeliveries"
    from bus_groups where namespace = ${namespace} and name = ${group}`.execute(db);
  return rows[0];
}
