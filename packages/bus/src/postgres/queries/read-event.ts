// Reads the event at a position, and in the same snapshot how the log stands.
import { type Kysely, sql } from 'kysely';
import type { LogPosition } from '../../store/position.ts';
import type { BusSchema } from '../schema.ts';
import type { LogState } from './read-events.ts';

interface EventAtRow {
  /** LogState as JSON. */
  log: string;
  /** Null when no event stands there. */
  topic: string | null;
  text: string | null;
  at_ms: number | null;
}

export interface EventAt {
  log: LogState;
  event: { topic: string; text: string; appendedAtMs: number } | null;
}

/** Undefined when there is no such log. */
export async function readEvent(
  db: Kysely<BusSchema>,
  namespace: string,
  { epoch, seq, nonce }: LogPosition,
): Promise<EventAt | undefined> {
  const { rows } = await sql<EventAtRow>`
    select json_build_object(
        'gap', case when l.epoch = ${epoch} and e.spared_after is not null and e.nonce = ${nonce} then null
          else bus_gap(l, ${epoch}, ${seq}, ${nonce}, e.nonce) end, 'epoch', l.epoch,
        'head', json_build_object('seq', l.head_seq, 'nonce', l.head_nonce),
        'horizon', json_build_object('seq', l.horizon_seq, 'nonce', l.horizon_nonce))::text as log,
      e.topic, e.text, floor(extract(epoch from e.at) * 1000)::bigint as at_ms
    from bus_logs l
    left join bus_events e on e.namespace = l.namespace and e.seq = ${seq}
      and (e.seq > l.horizon_seq or e.spared_after is not null)
    where l.namespace = ${namespace}`.execute(db);
  const [row] = rows;
  if (row === undefined) return undefined;
  const { topic, text, at_ms: appendedAtMs } = row;
  const event = topic === null || text === null || appendedAtMs === null ? null : { topic, text, appendedAtMs };
  return { log: JSON.parse(row.log) as LogState, event };
}
