// Drops a batch of what deduplication remembers beyond its window. True when none is left.
import { type Kysely, sql } from 'kysely';
import type { BusSchema } from '../schema.ts';

const BATCH = 5_000;

/** Rows that an append holds are left for the next time: waiting for them here, and it for others there, would be a deadlock. */
export async function forgetDuplicates(db: Kysely<BusSchema>, windowMs: number): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    delete from bus_dedup where ctid = any(array(
      select ctid from bus_dedup
      where at < clock_timestamp() - ${windowMs}::bigint * interval '1 millisecond'
      order by at limit ${BATCH} for update skip locked
    ))`.execute(db);
  return numAffectedRows < BATCH;
}
