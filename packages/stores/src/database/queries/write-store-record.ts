// Proves that the database takes writes.
import { type Kysely, sql } from 'kysely';

export async function writeStoreRecord<S>(db: Kysely<S>): Promise<void> {
  await sql`update store_record set written_at = now()`.execute(db);
}
