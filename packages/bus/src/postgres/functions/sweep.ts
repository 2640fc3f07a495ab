// Deletes rows that retention has removed from a log.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * Deletes the oldest rows before the horizon, at most `p_max_events` and about `p_max_bytes` of them, without holding the log's
 * lock until the end, so appends go on. Two concurrent calls wait for each other's rows; the second finds them deleted. True when
 * no such row is left.
 */
export const sweep = sql`
  create or replace function bus_sweep(p_namespace text, p_max_events bigint, p_max_bytes bigint) returns boolean
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_swept bigint;
    v_horizon bigint;
    v_up_to bigint;
    v_over bigint;
  begin
    select l.swept_seq, l.horizon_seq into v_swept, v_horizon from bus_logs l where l.namespace = p_namespace;
    if not found or v_swept >= v_horizon then
      return true;
    end if;
    v_up_to := least(v_horizon, v_swept + p_max_events);
    select e.seq into v_over from bus_events e
    where e.namespace = p_namespace and e.seq > v_swept + 1 and e.seq <= v_up_to and e.bytes > p_max_bytes + (
      select o.bytes from bus_events o where o.namespace = p_namespace and o.seq > v_swept order by o.seq limit 1)
    order by e.seq limit 1;
    v_up_to := coalesce(v_over - 1, v_up_to);
    delete from bus_events e where e.namespace = p_namespace and e.seq > v_swept and e.seq <= v_up_to
      and e.spared_after is null;
    update bus_logs l set swept_seq = v_up_to where l.namespace = p_namespace and l.swept_seq < v_up_to;
    return v_up_to >= v_horizon;
  end $$`;
