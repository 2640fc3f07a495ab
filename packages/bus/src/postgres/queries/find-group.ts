// One group.
import { type Kysely, sql } from 'kysely';
import type { GroupState } from '../../store/group-store.ts';
import type { BusSchema } from '../schema.ts';

export async function findGroup(
  db: Kysely<BusSchema>,
  namespace: string,
  group: string,
): Promise<GroupState | undefined> {
  const { rows } = await sql<{ state: GroupState }>`
    select bus_group_state(g) as state from bus_groups g where namespace = ${namespace} and name = ${group}`.execute(
    db,
  );
  return rows[0]?.state;
}
