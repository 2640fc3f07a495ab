// Drops a batch of sources that have published next to nothing lately. True when none is left.
import { type Kysely, sql } from 'kysely';
import type { Retention } from '../../store/event-log.ts';
import type { BusSchema } from '../schema.ts';

const BATCH = 1_000;
/** Of each limit. */
const NEGLIGIBLE = 1 / 1024;

/** Rows that an append holds are in use. */
export async function forgetFlows(
  db: Kysely<BusSchema>,
  { maxEvents, maxBytes }: Pick<Retention, 'maxEvents' | 'maxBytes'>,
): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    delete from bus_flows where ctid = any(array(
      select w.ctid from bus_flows w join bus_logs l on l.namespace = w.namespace
      where w.events * exp(-greatest(0, least(700, (l.head_seq - w.at_seq)::double precision / ${maxEvents})))
          < ${NEGLIGIBLE}::double precision * ${maxEvents}
        and w.bytes * exp(-greatest(0, least(700, (l.head_bytes - w.at_bytes)::double precision / ${maxBytes})))
          < ${NEGLIGIBLE}::double precision * ${maxBytes}
        and l.head_seq - w.at_seq > ${maxEvents}::bigint / 100
      limit ${BATCH} for update of w skip locked
    ))`.execute(db);
  return numAffectedRows < BATCH;
}
