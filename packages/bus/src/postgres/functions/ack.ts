// Acknowledges deliveries.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * Settles events, whichever attempt is named, but none in a later life than the one that is named. Returns how many it settled; null:
 * there is no such group.
 */
export const ack = sql`
  create or replace function bus_settle(
    p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[], p_lives bigint[])
  returns bigint
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_at timestamptz;
    v_consumers text[];
    v_settled bigint;
  begin
    select e.entered_at into v_at from bus_enter_group(p_namespace, p_name) e;
    if v_at is null then
      return null;
    end if;
    with settled as (
    delete from bus_deliveries where ctid = any(array(
      select d.row from unnest(p_epochs, p_seqs, p_nonces, p_lives) as r(epoch, seq, nonce, life)
      cross join lateral (
        select d.ctid as row from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name
          and d.seq = r.seq and d.nonce = r.nonce and d.epoch = r.epoch and d.life <= r.life
        limit 1
      ) d
    )) returning consumer)
    select count(*), array_agg(distinct s.consumer) into v_settled, v_consumers from settled s;
    if v_consumers is not null then
      perform bus_show_signs(p_namespace, p_name, array_remove(v_consumers, null), v_at);
    end if;
    return v_settled;
  end $$`;
