// Refuses deliveries.
import { NO_REASON } from '@hypercode/contracts';
import { sql } from 'kysely';
import { REASON_CUT } from '../../store/group-deaths.ts';
import { BY_KEYS } from './by-keys.ts';

/**
 * Moves attempts that are in flight back to `waiting`, or to `dead` after the last attempt. Returns how many it moved; null: there
 * is no such group.
 */
export const nack = sql`
  create or replace function bus_nack(
    p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[], p_lives bigint[],
    p_attempts bigint[], p_uncounted bigint[], p_delay_ms bigint, p_reason text)
  returns bigint
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_group record;
    v_settled bigint;
    v_died bigint;
    v_bytes bigint[];
    v_consumers text[];
  begin
    select e.entered_at, (e.entered).max_deliveries, (e.entered).deaths into v_group from bus_enter_group(p_namespace, p_name) e;
    if v_group.entered_at is null then
      return null;
    end if;
    with refused as materialized (
      select o.place, d.consumer, d.bytes, d.attempt >= v_group.max_deliveries as dies,
        row_number() over (partition by d.attempt >= v_group.max_deliveries order by o.ord) as ord
      from bus_open_attempts(
        p_namespace, p_name, v_group.entered_at, p_epochs, p_seqs, p_nonces, p_lives, p_attempts, p_uncounted) o
      cross join lateral (select d.attempt, d.consumer, octet_length(d.text) as bytes from bus_deliveries d where d.ctid = o.place) d
    ),
    moved as (
      update bus_deliveries d set
        state = case when r.dies then 'dead' else 'waiting' end,
        passed = false,
        due_at = v_group.entered_at + p_delay_ms * interval '1 millisecond',
        history = bus_with_attempt(d.history, bus_attempt(d, v_group.entered_at, p_reason)),
        ordinal = case when r.dies then v_group.deaths + r.ord end,
        dead_at = case when r.dies then v_group.entered_at end
      from refused r where d.ctid = r.place
    )
    select count(*), count(*) filter (where r.dies), array_agg(distinct r.consumer), array_agg(r.bytes) filter (where r.dies)
    into v_settled, v_died, v_consumers, v_bytes from refused r;
    if v_settled > 0 then
      perform bus_show_signs(p_namespace, p_name, v_consumers, v_group.entered_at);
    end if;
    if v_died > 0 then
      perform bus_bury(p_namespace, p_name, v_bytes, array_fill(
        left(coalesce(p_reason, ${sql.lit(NO_REASON)}), ${sql.lit(REASON_CUT)}), array[v_died::integer]));
    end if;
    return v_settled;
  end $$`;
