// Counts acknowledgements, by the minute.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/** Takes note of events that were acknowledged. The caller has locked the group. */
export const countAcks = sql`
  create or replace function bus_count_acks(p_namespace text, p_name text, p_at timestamptz, p_count bigint) returns void
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_minute bigint := floor(extract(epoch from p_at) / 60);
  begin
    update bus_groups g set
      acked_before = case v_minute - g.acked_minute when 0 then g.acked_before when 1 then g.acked else 0 end,
      acked = case v_minute - g.acked_minute when 0 then g.acked else 0 end + p_count,
      acked_minute = v_minute
    where g.namespace = p_namespace and g.name = p_name;
  end $$`;
