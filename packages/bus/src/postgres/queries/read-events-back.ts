// Reads a page of a log, newest first, and in the same snapshot how the log stands.
import { type Kysely, sql } from 'kysely';
import type { LogPosition } from '../../store/position.ts';
import type { BusSchema } from '../schema.ts';
import { type EventRow, PAGE_BYTES } from './read-events.ts';

/** The log when `seq` is null, and events from the newest on; the last one may begin before `PAGE_BYTES` and end after. Nothing at all when there is no such log. */
export async function readEventsBack(
  db: Kysely<BusSchema>,
  namespace: string,
  { upTo, limit }: { upTo: LogPosition | null; limit: number },
): Promise<EventRow[]> {
  const gap =
    upTo === null
      ? sql`null::text`
      : sql`bus_gap(l, ${upTo.epoch}, ${upTo.seq}, ${upTo.nonce}, (
          select e.nonce from bus_events e where e.namespace = ${namespace} and e.seq = ${upTo.seq}))`;
  const isUpTo = upTo === null ? sql`true` : sql`e.seq <= ${upTo.seq}::bigint`;
  const { rows } = await sql<EventRow>`
    with log as materialized (
      select l.epoch, l.head_seq, l.head_nonce, l.horizon_seq, l.horizon_nonce, ${gap} as gap
      from bus_logs l where l.namespace = ${namespace}
    ),
    newest as materialized (
      -- Up to the horizon, only what was spared is kept.
      select e.seq, e.nonce, floor(extract(epoch from e.at) * 1000)::bigint as at_ms, e.topic, e.text
      from bus_events e
      where e.namespace = ${namespace} and ${isUpTo} and (select log.gap is distinct from 'log_lost' from log)
        and (e.seq > (select log.horizon_seq from log) or e.spared_after is not null)
      order by e.seq desc limit ${limit}
    ),
    page as (
      select n.*, sum(octet_length(n.text)) over (order by n.seq desc) - octet_length(n.text) as bytes_before from newest n
    )
    select * from (
      select null::bigint as seq, 0 as nonce, 0::bigint as at_ms, '' as topic, json_build_object(
        'gap', log.gap, 'epoch', log.epoch,
        'head', json_build_object('seq', log.head_seq, 'nonce', log.head_nonce),
        'horizon', json_build_object('seq', log.horizon_seq, 'nonce', log.horizon_nonce))::text as text
      from log
      union all
      select p.seq, p.nonce, p.at_ms, p.topic, p.text from page p where p.bytes_before < ${PAGE_BYTES}
    ) found
    order by seq desc nulls first`.execute(db);
  return rows;
}
