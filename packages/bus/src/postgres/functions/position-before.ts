// Finds where a reader begins that wants the events since a time.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * The position before the first event that was appended at or after `p_at`, by a binary search; the head when there is none. Times
 * never go back with the position, see `bus_append`. No row: there is no log.
 */
export const positionBefore = sql`
  create or replace function bus_position_before(p_namespace text, p_at timestamptz)
  returns table (epoch text, seq bigint, nonce integer)
  language plpgsql stable
  ${BY_KEYS}
  as $$
  #variable_conflict use_column
  declare
    v_log bus_logs;
    v_event record;
    v_low bigint := 0;
    v_high bigint;
    v_middle bigint;
  begin
    select * into v_log from bus_logs l where l.namespace = p_namespace;
    if not found then
      return;
    end if;
    epoch := v_log.epoch;
    if v_log.spared_events = 0 then
      v_low := v_log.horizon_seq;
    end if;
    v_high := v_log.head_seq + 1;
    while v_high - v_low > 1 loop
      v_middle := (v_low + v_high) / 2;
      select e.seq, e.at into v_event from bus_events e
      where e.namespace = p_namespace and e.seq >= v_middle and (e.seq > v_log.horizon_seq or e.spared_after is not null)
      order by e.seq limit 1;
      if found and v_event.at < p_at then
        v_low := greatest(v_middle, v_event.seq);
      else
        v_high := v_middle;
      end if;
    end loop;
    if v_low >= v_log.head_seq then
      return query select epoch, v_log.head_seq, v_log.head_nonce;
      return;
    end if;
    select e.seq, e.spared_after into v_event from bus_events e
    where e.namespace = p_namespace and e.seq > v_low and e.seq <= v_log.horizon_seq and e.spared_after is not null
    order by e.seq limit 1;
    if found then
      return query select epoch, v_event.seq - 1, v_event.spared_after;
    elsif v_low <= v_log.horizon_seq then
      return query select epoch, v_log.horizon_seq, v_log.horizon_nonce;
    else
      return query select epoch, e.seq, e.nonce from bus_events e where e.namespace = p_namespace and e.seq = v_low;
    end if;
  end $$`;
