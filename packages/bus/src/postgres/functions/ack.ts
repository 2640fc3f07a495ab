// Acknowledges deliveries.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';
import { NEWEST_RECORD } from './journal.ts';

/**
 * Settles events, whichever attempt is named, but none in a later life than the one that is named. Returns how many it settled; null:
 * there is no such group. Each leaves a record in the journal, if `p_journal`.
 */
export const ack = sql`
  create or replace function bus_acknowledge(
    p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[], p_lives bigint[], p_journal boolean)
  returns bigint
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_at timestamptz;
    v_number integer;
    v_consumers text[];
    v_settled bigint;
    v_dead_bytes bigint[];
    v_dead_reasons text[];
  begin
    select e.entered_at, (e.entered).number into v_at, v_number from bus_enter_group(p_namespace, p_name) e;
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
      )) returning consumer, epoch, seq, nonce, life, attempt, delivered_at,
        case when state = 'dead' then octet_length(text) end as dead_bytes,
        case when state = 'dead' then bus_death_reason(passed, history) end as dead_reason
    ),
    kept as (
      insert into bus_settled (
        journal, group_number, seq, nonce, life, attempt, delivered_at, settled_at, how, by)
      select j.number, v_number, s.seq, s.nonce, s.life, s.attempt, case when s.attempt > 0 then s.delivered_at end, v_at, 'a',
        case when s.attempt > 0 then bus_journal_name(s.consumer) end
      from settled s join bus_journals j on j.namespace = p_namespace and j.epoch = s.epoch
      where p_journal
      ${NEWEST_RECORD}
    )
    select count(*), array_agg(distinct s.consumer),
      array_agg(s.dead_bytes) filter (where s.dead_bytes is not null),
      array_agg(s.dead_reason) filter (where s.dead_reason is not null)
    into v_settled, v_consumers, v_dead_bytes, v_dead_reasons from settled s;
    perform bus_unbury(p_namespace, p_name, v_dead_bytes, v_dead_reasons);
    if v_settled > 0 then
      perform bus_count_acks(p_namespace, p_name, v_at, v_settled);
    end if;
    if v_consumers is not null then
      perform bus_show_signs(p_namespace, p_name, array_remove(v_consumers, null), v_at);
    end if;
    return v_settled;
  end $$`;

/** Acknowledges for a replica of the release before. */
export const ackOfRelease4 = sql`
  create or replace function bus_settle(
    p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[], p_lives bigint[])
  returns bigint
  language sql
  as $$ select bus_acknowledge(p_namespace, p_name, p_epochs, p_seqs, p_nonces, p_lives, true) $$`;
