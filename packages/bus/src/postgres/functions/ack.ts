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
    v_settled bigint;
  begin
    if (select e.entered_at is null from bus_enter_group(p_namespace, p_name) e) then
      return null;
    end if;
    delete from bus_deliveries where ctid = any(array(
      select d.row from unnest(p_epochs, p_seqs, p_nonces, p_lives) as r(epoch, seq, nonce, life)
      cross join lateral (
        select d.ctid as row from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name
          and d.seq = r.seq and d.nonce = r.nonce and d.epoch = r.epoch and d.life <= r.life
        limit 1
      ) d
    ));
    get diagnostics v_settled = row_count;
    return v_settled;
  end $$`;
