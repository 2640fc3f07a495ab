// Cuts a log down to its limits, and spares the events of other sources from one that floods it.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * Removes spared events, the oldest first: those before \`p_cutoff\`, and as many as make room for so many events and bytes; 2,000
 * at most. Returns the log, which the caller has locked and stores.
 */
export const removeSpared = sql`
  create or replace function bus_remove_spared(p_log bus_logs, p_cutoff timestamptz, p_events bigint, p_bytes bigint) returns bus_logs
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_removed record;
    v_oldest timestamptz;
    v_most bigint := 2000;
  begin
    if p_log.spared_events = 0 then
      return p_log;
    end if;
    select e.at into v_oldest from bus_events e
    where e.namespace = p_log.namespace and e.spared_after is not null
    order by e.seq limit 1;
    if v_oldest >= p_cutoff and p_bytes <= 0 then
      if p_events <= 0 then
        return p_log;
      end if;
      v_most := least(v_most, p_events);
    end if;
    with oldest as materialized (
      select e.seq, e.at, octet_length(e.text) as size from bus_events e
      where e.namespace = p_log.namespace and e.spared_after is not null
      order by e.seq limit v_most
    ),
    summed as (
      select o.seq, o.at, o.size, row_number() over (order by o.seq) as place, sum(o.size) over (order by o.seq) - o.size as before
      from oldest o
    ),
    removed as (
      delete from bus_events e using summed s
      where e.namespace = p_log.namespace and e.seq = s.seq and (s.at < p_cutoff or s.place <= p_events or s.before < p_bytes)
      returning s.size
    )
    select count(*) as events, coalesce(sum(r.size), 0) as bytes into v_removed from removed r;
    p_log.spared_events := p_log.spared_events - v_removed.events;
    p_log.spared_bytes := p_log.spared_bytes - v_removed.bytes;
    return p_log;
  end $$`;

/**
 * Cuts one log down to its limits. True when nothing is left to do. While the log has heavy sources and others, it goes from event
 * to event, 5,000 at most, and spares those of the others: their rows stay, with the nonce of the event before each, up to three
 * quarters of the limits. Otherwise the oldest events go, the spared ones first.
 */
export const cut = sql`
  create or replace function bus_cut(p_namespace text, p_max_events bigint, p_max_bytes bigint, p_max_age_ms bigint) returns boolean
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_log bus_logs;
    v_cutoff timestamptz := clock_timestamp() - p_max_age_ms * interval '1 millisecond';
    v_event record;
    v_horizon record;
    v_before bigint;
    v_spared bigint;
    v_settled boolean := true;
    v_seqs bigint[] := '{}';
    v_nonces integer[] := '{}';
  begin
    select * into v_log from bus_logs l where l.namespace = p_namespace for update;
    if not found then
      return true;
    end if;
    v_before := v_log.horizon_seq;
    if cardinality(v_log.heavy) > 0 and exists (
      select from bus_flows w where w.namespace = p_namespace and w.source <> all(v_log.heavy)
    ) then
      v_spared := v_log.spared_events;
      v_log := bus_remove_spared(v_log, v_cutoff,
        v_log.spared_events - p_max_events * 3 / 4, v_log.spared_bytes - p_max_bytes * 3 / 4);
      -- Limits that were lowered: more than one call removes is to go, before any event that is not spared.
      if v_log.spared_events < v_spared
        and (v_log.spared_events > p_max_events * 3 / 4 or v_log.spared_bytes > p_max_bytes * 3 / 4) then
        update bus_logs l set spared_events = v_log.spared_events, spared_bytes = v_log.spared_bytes
        where l.namespace = p_namespace;
        return false;
      end if;
      v_settled := false;
      for v_event in
        select e.seq, e.nonce, e.bytes, e.at, octet_length(e.text) as size,
          substring(e.text from '"source":"([^"]*)"') as source
        from bus_events e
        where e.namespace = p_namespace and e.seq > v_before
        order by e.seq limit 5000
      loop
        v_settled := v_event.at >= v_cutoff
          and v_log.head_seq - v_log.horizon_seq + v_log.spared_events <= p_max_events
          and v_log.head_bytes - v_log.horizon_bytes + v_log.spared_bytes <= p_max_bytes;
        exit when v_settled;
        if v_event.at >= v_cutoff and coalesce(v_event.source, '') <> all(v_log.heavy) then
          v_seqs := v_seqs || v_event.seq;
          v_nonces := v_nonces || v_log.horizon_nonce;
          v_log.spared_events := v_log.spared_events + 1;
          v_log.spared_bytes := v_log.spared_bytes + v_event.size;
        end if;
        v_log.horizon_seq := v_event.seq;
        v_log.horizon_nonce := v_event.nonce;
        v_log.horizon_bytes := v_event.bytes;
      end loop;
      v_settled := v_settled or v_log.horizon_seq = v_log.head_seq;
      if cardinality(v_seqs) > 0 then
        update bus_events e set spared_after = s.nonce from unnest(v_seqs, v_nonces) as s(seq, nonce)
        where e.namespace = p_namespace and e.seq = s.seq;
        v_log := bus_remove_spared(v_log, v_cutoff,
          v_log.spared_events - p_max_events * 3 / 4, v_log.spared_bytes - p_max_bytes * 3 / 4);
      end if;
    else
      v_log := bus_remove_spared(v_log, v_cutoff,
        v_log.head_seq - v_log.horizon_seq + v_log.spared_events - p_max_events,
        v_log.head_bytes - v_log.horizon_bytes + v_log.spared_bytes - p_max_bytes);
      select * into v_horizon from bus_horizon(
        v_log, greatest(0, p_max_events - v_log.spared_events), greatest(0, p_max_bytes - v_log.spared_bytes), p_max_age_ms);
      v_log.horizon_seq := v_horizon.seq;
      v_log.horizon_nonce := v_horizon.nonce;
      v_log.horizon_bytes := v_horizon.bytes;
      v_settled := v_horizon.settled;
    end if;
    update bus_logs l set
      horizon_seq = v_log.horizon_seq, horizon_nonce = v_log.horizon_nonce, horizon_bytes = v_log.horizon_bytes,
      spared_events = v_log.spared_events, spared_bytes = v_log.spared_bytes
    where l.namespace = p_namespace;
    return v_settled;
  end $$`;
