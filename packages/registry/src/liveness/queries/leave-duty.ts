// Gives a duty up, so that another replica need not wait for its time to pass.
import type { Kysely } from 'kysely';
import type { Schema } from '../../schema.ts';

export async function leaveDuty(db: Kysely<Schema>, duty: string, holder: string): Promise<void> {
  await db.deleteFrom('duties').where('duty', '=', duty).where('holder', '=', holder).execute();
}
