// Which swarm the database belongs to.
import { type Kysely, sql } from 'kysely';

/** Made once with the database; a copy of the database has the same. */
export async function readSwarmId<S>(db: Kysely<S>): Promise<string> {
  const { rows } = await sql<{ id: string }>`select swarm_id::text as id from store_record`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('the table store_record has no row');
  return row.id;
}
