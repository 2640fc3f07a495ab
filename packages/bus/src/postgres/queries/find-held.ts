// Events that groups hold, found by their position or their id.
import { type Kysely, sql } from 'kysely';
import {
  type HeldEvent,
  type HeldEventName,
  type HeldEvents,
  MAX_HELD_EVENTS,
  MAX_HELD_SCANNED,
} from '../../store/group-fates.ts';
import { isOfSource, textPrefixOf } from '../../store/held-event-name.ts';
import type { BusSchema } from '../schema.ts';

interface HeldRow {
  epoch: string;
  seq: number;
  nonce: number;
  text: string;
}

export async function findHeld(db: Kysely<BusSchema>, namespace: string, name: HeldEventName): Promise<HeldEvents> {
  if (!('id' in name)) {
    // By the groups' names, since the key of a delivery begins with them.
    const { rows } = await sql<HeldRow>`
      select d.epoch, d.seq, d.nonce, d.text from bus_groups g
      cross join lateral (
        select * from bus_deliveries d
        where d.namespace = g.namespace and d.group_name = g.name
          and d.seq = ${name.seq} and d.nonce = ${name.nonce} and d.epoch = ${name.epoch}
        limit 1
      ) d
      where g.namespace = ${namespace} limit 1`.execute(db);
    return { events: rows.map(toHeld), complete: true };
  }
  const prefix = textPrefixOf(name.id);
  const { rows } = await sql<{ scanned: number; found: HeldRow[] }>`
    with scanned as materialized (
      select d.epoch, d.seq, d.nonce, starts_with(d.text, ${prefix}) as matches, d.ctid as place from bus_deliveries d
      where d.namespace = ${namespace} limit ${MAX_HELD_SCANNED}
    )
    select count(*) as scanned, coalesce((
      select json_agg(json_build_object('epoch', f.epoch, 'seq', f.seq, 'nonce', f.nonce, 'text', f.text))
      from (
        select distinct on (s.epoch, s.seq, s.nonce) s.epoch, s.seq, s.nonce, d.text
        from scanned s join bus_deliveries d on d.ctid = s.place
        where s.matches limit ${MAX_HELD_EVENTS}
      ) f
    ), '[]') as found from scanned`.execute(db);
  const { scanned = 0, found = [] } = rows[0] ?? {};
  return {
    events: found.map(toHeld).filter((event) => isOfSource(event, name.source)),
    complete: scanned < MAX_HELD_SCANNED,
  };
}

const toHeld = ({ text, ...position }: HeldRow): HeldEvent => ({ position, text });
