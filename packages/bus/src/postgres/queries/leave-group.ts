// Forgets a member of a group.
import type { Kysely } from 'kysely';
import type { BusSchema } from '../schema.ts';

export async function leaveGroup(
  db: Kysely<BusSchema>,
  namespace: string,
  { group, consumer }: { group: string; consumer: string },
): Promise<void> {
  await db
    .deleteFrom('bus_members')
    .where('namespace', '=', namespace)
    .where('group_name', '=', group)
    .where('consumer', '=', consumer)
    .execute();
}
