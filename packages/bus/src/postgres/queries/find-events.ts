// Finds the events with an id that are in the index, and in the same snapshot where the index begins.
import { type Kysely, sql } from 'kysely';
import { beginningOf, idNumber } from '../../store/id-key.ts';
import type { BusSchema } from '../schema.ts';
import { type EventRow, PAGE_BYTES } from './read-events.ts';

export interface IndexState {
  epoch: string;
  /** The newest event that is kept and is not in the index. */
  unindexed: { seq: number; nonce: number } | null;
}

/**
 * The index when `seq` is null, IndexState as JSON, and events from the newest on. Nothing at all when there is no such log. The key has
 * the namespace in it, and alone chooses the rows that are read, so that no plan reads a log instead.
 */
export async function findEvents(
  db: Kysely<BusSchema>,
  namespace: string,
  { id, before, limit }: { id: string; before: number | null; limit: number },
): Promise<EventRow[]> {
  const isBefore = before === null ? sql`true` : sql`k.seq < ${before}::bigint`;
  const { rows } = await sql<EventRow>`
    with log as materialized (
      select l.namespace, l.epoch, l.head_seq, l.horizon_seq, l.indexed_from from bus_logs l where l.namespace = ${namespace}
    ),
    keyed as materialized (
      select e.* from bus_events e where e.id_key = ${idNumber(namespace, id)}::bigint
    ),
    newest as materialized (
      select k.seq, k.nonce, floor(extract(epoch from k.at) * 1000)::bigint as at_ms, k.topic, k.text
      from keyed k join log on log.namespace = k.namespace
      where k.seq >= log.indexed_from and (k.seq > log.horizon_seq or k.spared_after is not null)
        and ${isBefore} and starts_with(k.text, ${beginningOf(id)})
      order by k.seq desc limit ${limit}
    ),
    page as (
      select n.*, sum(octet_length(n.text)) over (order by n.seq desc) - octet_length(n.text) as bytes_before from newest n
    )
    select * from (
      select null::bigint as seq, 0 as nonce, 0::bigint as at_ms, '' as topic, json_build_object(
        'epoch', log.epoch, 'unindexed', (
          select json_build_object('seq', e.seq, 'nonce', e.nonce) from bus_events e
          where e.namespace = log.namespace and e.seq < coalesce(log.indexed_from, log.head_seq + 1)
            and (e.seq > log.horizon_seq or e.spared_after is not null)
          order by e.seq desc limit 1))::text as text
      from log
      union all
      select p.seq, p.nonce, p.at_ms, p.topic, p.text from page p where p.bytes_before < ${PAGE_BYTES}
    ) found
    order by seq desc nulls first`.execute(db);
  return rows;
}
