// Gives a duty up, so that another replica does not wait until it would end.
import type { Kysely } from 'kysely';
import type { Schema } from '../../schema.ts';

export async function leaveDuty(db: Kysely<Schema>, duty: string, holder: string): Promise<void> {
  await db.deleteFrom('duties').where('duty', '=', duty).where('holder', '=', holder).execute();
}
