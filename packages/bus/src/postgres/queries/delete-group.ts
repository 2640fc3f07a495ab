// Removes a group, in steps. Undefined: there is no such group. The function is in functions/steer-group.ts.
import { type Kysely, sql } from 'kysely';
import { type GroupState, MAX_DELETED_GROUPS } from '../../store/group-store.ts';
import type { BusSchema } from '../schema.ts';

/** Events that one statement removes, so that none takes long. */
const BATCH = 5_000;

export async function deleteGroup(
  db: Kysely<BusSchema>,
  namespace: string,
  group: string,
): Promise<{ more: boolean; state: GroupState } | undefined> {
  const { rows } = await sql<{ more: boolean; state: GroupState }>`
    select * from bus_delete_group(${namespace}, ${group}, ${BATCH}, ${MAX_DELETED_GROUPS})`.execute(db);
  return rows[0];
}
