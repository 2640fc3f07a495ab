// Redrives or discards dead letters.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * Moves dead letters back to `waiting`, or deletes them: those at the given positions or, where these are null, the oldest up to
 * the ordinal `p_up_to`, at most `p_max`. Returns how many; null: there is no such group.
 */
export const resolveDead = sql`
  create or replace function bus_resolve_dead(
    p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[],
    p_up_to bigint, p_max bigint, p_redrive boolean)
  returns bigint
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_at timestamptz;
    v_life integer;
    v_later integer;
    v_rows tid[];
    v_bytes bigint[];
    v_reasons text[];
    v_resolved bigint;
  begin
    select e.entered_at into v_at from bus_enter_group(p_namespace, p_name) e;
    if v_at is null then
      return null;
    end if;
    if p_seqs is null then
      v_rows := array(
        select d.ctid from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name and d.state = 'dead' and d.ordinal <= p_up_to
        order by d.ordinal limit p_max);
    else
      v_rows := array(
        select d.row from unnest(p_epochs, p_seqs, p_nonces) as r(epoch, seq, nonce)
        cross join lateral (
          select d.ctid as row, d.state from bus_deliveries d
          where d.namespace = p_namespace and d.group_name = p_name
            and d.seq = r.seq and d.nonce = r.nonce and d.epoch = r.epoch
          limit 1
        ) d
        where d.state = 'dead');
    end if;
    select array_agg(octet_length(d.text)), array_agg(bus_death_reason(d.passed, d.history)) into v_bytes, v_reasons
    from bus_deliveries d where d.ctid = any(v_rows);
    perform bus_unbury(p_namespace, p_name, v_bytes, v_reasons);
    if p_redrive and cardinality(v_rows) > 0 then
      v_life := bus_next_life(p_namespace, p_name);
      -- An event that was redriven and settled may be read again: that is a later life, and one of its own.
      if exists (
        select from bus_groups g
        where g.namespace = p_namespace and g.name = p_name
          and bus_replays(g.cursor_epoch, g.cursor_seq, g.replay_epoch, g.replay_seq)
      ) then
        v_later := bus_next_life(p_namespace, p_name);
        update bus_groups g set replay_life = v_later where g.namespace = p_namespace and g.name = p_name;
      end if;
      update bus_deliveries d set
        state = 'waiting', life = v_life, attempt = 0, uncounted = 0, passed = false, history = '[]', due_at = v_at,
        consumer = null, delivered_at = null,
        dead_at = null, ordinal = null
      where d.ctid = any(v_rows);
    else
      delete from bus_deliveries d where d.ctid = any(v_rows);
    end if;
    get diagnostics v_resolved = row_count;
    return v_resolved;
  end $$`;
