// Drops a batch of topics of whose events none is kept. True when none is left.
import { type Kysely, sql } from 'kysely';
import type { BusSchema } from '../schema.ts';

const BATCH = 1_000;

/** Rows that an append holds are in use again. */
export async function forgetTopics(db: Kysely<BusSchema>): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    delete from bus_topics where ctid = any(array(
      select t.ctid from bus_topics t join bus_logs l on l.namespace = t.namespace
      where t.last_seq <= l.horizon_seq
      limit ${BATCH} for update of t skip locked
    ))`.execute(db);
  return numAffectedRows < BATCH;
}
