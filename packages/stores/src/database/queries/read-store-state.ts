// The time by the database's clock, and whether the database takes writes.
import { type Kysely, sql } from 'kysely';

export interface StoreState {
  epochMs: number;
  /** In a standby, or while transactions are read-only by default. */
  readOnly: boolean;
}

export async function readStoreState<S>(db: Kysely<S>): Promise<StoreState> {
  const { rows } = await sql<StoreState>`
    select extract(epoch from clock_timestamp())::float8 * 1000 as "epochMs",
      current_setting('transaction_read_only') = 'on' as "readOnly"`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('the database returned no row');
  return row;
}
