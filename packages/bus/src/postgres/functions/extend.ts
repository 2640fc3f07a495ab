// Extends deliveries.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * Moves deadlines of attempts that are in flight to later. `extended` is how many are in flight, `due_at_ms` the first of their
 * deadlines, since the epoch. No row: there is no such group.
 */
export const extend = sql`
  create or replace function bus_extend(
    p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[], p_lives bigint[],
    p_attempts bigint[], p_uncounted bigint[], p_by_ms bigint)
  returns table (extended bigint, due_at_ms bigint)
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_at timestamptz;
    v_consumers text[];
  begin
    select e.entered_at into v_at from bus_enter_group(p_namespace, p_name) e;
    if v_at is null then
      return;
    end if;
    with moved as (
      update bus_deliveries d set due_at = greatest(d.due_at, v_at + p_by_ms * interval '1 millisecond')
      from bus_open_attempts(p_namespace, p_name, v_at, p_epochs, p_seqs, p_nonces, p_lives, p_attempts, p_uncounted) o
      where d.ctid = o.place
      returning d.due_at, d.consumer
    )
    select count(*), floor(extract(epoch from min(m.due_at)) * 1000), array_agg(distinct m.consumer)
    into extended, due_at_ms, v_consumers from moved m;
    if extended > 0 then
      perform bus_show_signs(p_namespace, p_name, v_consumers, v_at);
    end if;
    return next;
  end $$`;
