// Logs that hold more than they may, or whose removed events are still to be deleted.
import { type Kysely, sql } from 'kysely';
import type { Retention } from '../../store/event-log.ts';
import type { BusSchema } from '../schema.ts';

export async function findOverfullLogs(db: Kysely<BusSchema>, retention: Retention): Promise<string[]> {
  const { rows } = await sql<{ namespace: string }>`
    select l.namespace from bus_logs l
    left join lateral (
      select e.at from bus_events e
      where e.namespace = l.namespace and e.seq > l.horizon_seq order by e.seq limit 1
    ) oldest on true
    where l.swept_seq < l.horizon_seq or l.spared_events > 0
      or l.head_seq - l.horizon_seq > ${retention.maxEvents}::bigint
      or l.head_bytes - l.horizon_bytes > ${retention.maxBytes}::bigint
      or oldest.at < clock_timestamp() - ${retention.maxAgeMs}::bigint * interval '1 millisecond'`.execute(db);
  return rows.map(({ namespace }) => namespace);
}
