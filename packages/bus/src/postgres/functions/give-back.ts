// Takes deliveries back.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * Moves attempts that are in flight back to `waiting`, as if they had not been handed out. Returns how many it moved; null: there is
 * no such group.
 */
export const giveBack = sql`
  create or replace function bus_give_back(
    p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[], p_lives bigint[],
    p_attempts bigint[], p_uncounted bigint[])
  returns bigint
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_at timestamptz;
    v_moved bigint;
  begin
    select e.entered_at into v_at from bus_enter_group(p_namespace, p_name) e;
    if v_at is null then
      return null;
    end if;
    update bus_deliveries d set state = 'waiting', passed = false, due_at = v_at, attempt = d.attempt - 1, uncounted = d.uncounted + 1
    from bus_open_attempts(p_namespace, p_name, v_at, p_epochs, p_seqs, p_nonces, p_lives, p_attempts, p_uncounted) o
    where d.ctid = o.place;
    get diagnostics v_moved = row_count;
    return v_moved;
  end $$`;
