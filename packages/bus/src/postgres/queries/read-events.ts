// Reads a page of a log, and in the same snapshot how the log stands.
import { type Kysely, sql } from 'kysely';
import type { LogPosition } from '../../store/position.ts';
import type { BusSchema } from '../schema.ts';

/** Most bytes in a page that has more than one event. */
export const PAGE_BYTES = 1024 * 1024;

/** The log when `seq` is null, and events in their order. */
export interface EventRow {
  seq: number | null;
  nonce: number;
  at_ms: number;
  topic: string;
  /** Of the log: LogState as JSON. */
  text: string;
}

export interface LogState {
  gap: 'retention' | 'log_lost' | null;
  epoch: string;
  head: { seq: number; nonce: number };
  horizon: { seq: number; nonce: number };
  /** Where one can go on after a gap. */
  resume?: { seq: number; nonce: number };
}

/** Nothing at all when there is no such log. */
export async function readEvents(
  db: Kysely<BusSchema>,
  namespace: string,
  { after, limit }: { after: LogPosition; limit: number },
): Promise<EventRow[]> {
  const { rows } = await sql<EventRow>`
    with log as materialized (
      select l.*, resumed.gap, resumed.seq as resume_seq, resumed.nonce as resume_nonce
      from bus_logs l
      cross join lateral bus_resume(l, ${after.seq}, ${after.nonce}, bus_gap(l, ${after.epoch}, ${after.seq}, ${after.nonce}, (
        select e.nonce from bus_events e where e.namespace = ${namespace} and e.seq = ${after.seq}))) resumed
      where l.namespace = ${namespace}
    ),
    page as (
      -- Up to the horizon, only what was spared is kept.
      select e.seq, e.nonce, floor(extract(epoch from e.at) * 1000)::bigint as at_ms, e.topic, e.text,
        row_number() over (order by e.seq) as place from bus_events e
      where e.namespace = ${namespace} and e.seq > ${after.seq} and e.seq <= ${after.seq}::bigint + ${limit}::bigint
        and (select log.gap is null from log)
        and (e.seq > (select log.horizon_seq from log) or e.spared_after is not null)
        and (e.seq = ${after.seq}::bigint + 1 or e.bytes <= ${PAGE_BYTES}::bigint + (
          select f.bytes from bus_events f where f.namespace = ${namespace} and f.seq = ${after.seq}::bigint + 1))
    )
    select * from (
      select null::bigint as seq, 0 as nonce, 0::bigint as at_ms, '' as topic, json_build_object(
        'gap', log.gap, 'epoch', log.epoch,
        'head', json_build_object('seq', log.head_seq, 'nonce', log.head_nonce),
        'horizon', json_build_object('seq', log.horizon_seq, 'nonce', log.horizon_nonce),
        'resume', json_build_object('seq', log.resume_seq, 'nonce', log.resume_nonce))::text as text
      from log
      union all
      select p.seq, p.nonce, p.at_ms, p.topic, p.text from page p where p.seq = ${after.seq}::bigint + p.place
    ) found
    order by seq nulls first`.execute(db);
  return rows;
}
