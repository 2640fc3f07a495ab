// Redrives or discards dead letters.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';
import { NEWEST_RECORD } from './journal.ts';

/**
 * Moves dead letters back to `waiting`, or deletes them: those at the given positions or, where these are null, the oldest up to
 * the ordinal `p_up_to`, at most `p_max`. Those that `p_by` discards leave a record in the journal, if `p_journal`. Returns how many;
 * null: there is no such group.
 */
export const resolveDead = sql`
  create or replace function bus_settle_dead(
    p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[],
    p_up_to bigint, p_max bigint, p_redrive boolean, p_by text, p_journal boolean)
  returns bigint
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_at timestamptz;
    v_number integer;
    v_life integer;
    v_later integer;
    v_rows tid[];
    v_bytes bigint[];
    v_reasons text[];
    v_resolved bigint;
  begin
    select e.entered_at, (e.entered).number into v_at, v_number from bus_enter_group(p_namespace, p_name) e;
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
      with discarded as (
        delete from bus_deliveries d where d.ctid = any(v_rows) returning epoch, seq, nonce, life, attempt, delivered_at
      ),
      kept as (
        insert into bus_settled (
          journal, group_number, seq, nonce, life, attempt, delivered_at, settled_at, how, by)
        select j.number, v_number, d.seq, d.nonce, d.life, d.attempt, d.delivered_at, v_at, 'x', bus_journal_name(p_by)
        from discarded d join bus_journals j on j.namespace = p_namespace and j.epoch = d.epoch
        where p_journal
        ${NEWEST_RECORD}
      )
      select count(*) into v_resolved from discarded;
      return v_resolved;
    end if;
    get diagnostics v_resolved = row_count;
    return v_resolved;
  end $$`;

/** Redrives or discards for a replica of the release before, which does not say who. */
export const resolveDeadOfRelease4 = sql`
  create or replace function bus_resolve_dead(
    p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[],
    p_up_to bigint, p_max bigint, p_redrive boolean)
  returns bigint
  language sql
  as $$ select bus_settle_dead(p_namespace, p_name, p_epochs, p_seqs, p_nonces, p_up_to, p_max, p_redrive, null, true) $$`;
