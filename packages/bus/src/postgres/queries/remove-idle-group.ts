// Removes a group in which nothing is left to do. The function is in functions/steer-group.ts.
import { type Kysely, sql } from 'kysely';
import type { BusSchema } from '../schema.ts';

export async function removeIdleGroup(
  db: Kysely<BusSchema>,
  namespace: string,
  { group, id }: { group: string; id: string },
): Promise<boolean> {
  const { rows } = await sql<{ removed: boolean }>`
    select bus_remove_idle_group(${namespace}, ${group}, ${id}) as removed`.execute(db);
  return rows[0]?.removed === true;
}
