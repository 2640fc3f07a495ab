// Appends events to a log and deduplicates them, in one round trip.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * Appends events and returns the position of each, or of the event that it repeats. The log's row is locked first, so the order
 * of commits is the order of `seq`. The statements after the lock have snapshots of their own (READ COMMITTED) and a clock that
 * was read after the lock, so they see what the previous holder committed, and times never go back.
 *
 * p_texts: the texts of the events, separated by U+001F, which no JSON contains: neither side has to quote anything.
 * Returns one row. `repeats` lists the places of duplicates, from 1; `unswept` is the number of rows that `bus_sweep` has still to
 * delete; `nonce_before` is the nonce of the log's head before the call; `at_ms` is the time of appending.
 * p_keys: of each id, for the index; null: the events are not put into it, and it begins anew with the next call that does.
 */
export const append = sql`
  create or replace function bus_append_events(
    p_namespace text, p_ids uuid[], p_sources text[], p_topics text[], p_texts text, p_keys bigint[],
    p_window_ms bigint, p_max_events bigint, p_max_bytes bigint, p_max_age_ms bigint)
  returns table (
    epoch text, seqs bigint[], nonces integer[], repeats integer[], unswept bigint, nonce_before integer, at_ms bigint)
  language plpgsql
  ${BY_KEYS}
  as $$
  #variable_conflict use_column
  declare
    v_log bus_logs;
    v_at timestamptz;
    v_minute bigint;
    v_nonce integer := 1 + floor(random() * 2147483647)::integer;
    v_texts text[] := string_to_array(p_texts, E'\\x1f');
    v_added bigint;
    v_bytes bigint;
    v_horizon record;
    v_heavy text[] := '{}';
  begin
    if cardinality(v_texts) <> cardinality(p_ids) then
      raise exception 'texts hold U+001F' using errcode = 'data_exception';
    end if;
    select * into v_log from bus_logs l where l.namespace = p_namespace for update;
    if not found then
      perform bus_open_logs(array[p_namespace]);
      select * into v_log from bus_logs l where l.namespace = p_namespace for update;
    end if;
    nonce_before := v_log.head_nonce;
    v_at := greatest(clock_timestamp(), v_log.head_at);
    v_minute := floor(extract(epoch from v_at) / 60);

    with given as materialized (
      select g.ord::integer as ord, g.id, g.source, g.topic, g.text, g.key,
        min(g.ord::integer) over (partition by g.id, g.source) as first_ord,
        d.seq, d.nonce
      from unnest(p_ids, p_sources, p_topics, v_texts, p_keys) with ordinality as g(id, source, topic, text, key, ord)
      left join lateral (
        select d.seq, d.nonce from bus_dedup d
        where d.namespace = p_namespace and d.source = g.source and d.id = g.id
          and d.at > v_at - p_window_ms * interval '1 millisecond'
        limit 1
      ) d on true
    ),
    fresh as materialized (
      select g.ord, g.id, g.source, g.topic, g.text, g.key,
        v_log.head_seq + row_number() over (order by g.ord) as seq,
        v_log.head_bytes + sum(octet_length(g.text)) over (order by g.ord) as bytes
      from given g where g.seq is null and g.ord = g.first_ord
    ),
    stored as (
      insert into bus_events (namespace, seq, nonce, bytes, at, topic, text, id_key)
      select p_namespace, f.seq, v_nonce, f.bytes, v_at, f.topic, f.text, f.key from fresh f order by f.ord
    ),
    remembered as (
      insert into bus_dedup (namespace, source, id, seq, nonce, at)
      select p_namespace, f.source, f.id, f.seq, v_nonce, v_at from fresh f
      on conflict (namespace, source, id) do update
        set seq = excluded.seq, nonce = excluded.nonce, at = excluded.at, duplicates = 0
    ),
    counted as (
      insert into bus_topics as t (namespace, topic, count, minute, in_minute, last_seq, last_nonce)
      select p_namespace, f.topic, count(*), v_minute, count(*), max(f.seq), v_nonce from fresh f group by f.topic
      on conflict (namespace, topic) do update set
        count = t.count + excluded.count,
        in_minute_before = case v_minute - t.minute when 0 then t.in_minute_before when 1 then t.in_minute else 0 end,
        in_minute = case v_minute - t.minute when 0 then t.in_minute else 0 end + excluded.in_minute,
        minute = v_minute,
        last_seq = excluded.last_seq, last_nonce = excluded.last_nonce
    ),
    flowing as (
      insert into bus_flows as w (namespace, source, events, bytes, at_seq, at_bytes)
      select p_namespace, f.source, count(*), sum(octet_length(f.text)), max(f.seq), max(f.bytes) from fresh f group by f.source
      on conflict (namespace, source) do update set
        events = excluded.events
          + w.events * exp(-greatest(0, least(700, (excluded.at_seq - w.at_seq)::double precision / p_max_events))),
        bytes = excluded.bytes
          + w.bytes * exp(-greatest(0, least(700, (excluded.at_bytes - w.at_bytes)::double precision / p_max_bytes))),
        at_seq = excluded.at_seq, at_bytes = excluded.at_bytes
    )
    select array_agg(coalesce(g.seq, f.seq) order by g.ord), array_agg(coalesce(g.nonce, v_nonce) order by g.ord),
      array_agg(g.ord) filter (where g.seq is not null or g.ord <> g.first_ord), count(f.ord) filter (where f.ord = g.ord),
      max(f.bytes)
    into seqs, nonces, repeats, v_added, v_bytes
    from given g left join fresh f on f.ord = g.first_ord;

    if repeats is not null then
      update bus_dedup d set duplicates = d.duplicates + r.count
      from (
        select g.id, g.source, count(*) as count
        from unnest(p_ids, p_sources) with ordinality as g(id, source, ord)
        where g.ord = any(repeats) group by g.id, g.source
      ) r
      where d.namespace = p_namespace and d.source = r.source and d.id = r.id;
    end if;

    if v_added > 0 then
      v_log.indexed_from := case when p_keys is not null then coalesce(v_log.indexed_from, v_log.head_seq + 1) end;
      v_log.head_seq := v_log.head_seq + v_added;
      v_log.head_nonce := v_nonce;
      v_log.head_bytes := v_bytes;
      -- Nothing is removed by count or bytes of a log that is less than half full, so the events of no source have to be spared.
      if 2 * (v_log.head_seq - v_log.horizon_seq + v_log.spared_events) > p_max_events
        or 2 * (v_log.head_bytes - v_log.horizon_bytes + v_log.spared_bytes) > p_max_bytes then
        v_heavy := array(
          select w.source from bus_flows w
          where w.namespace = p_namespace and w.source = any(v_log.heavy || p_sources) and (
            w.events * exp(-least(700, (v_log.head_seq - w.at_seq)::double precision / p_max_events)) > p_max_events / 4.0
            or w.bytes * exp(-least(700, (v_log.head_bytes - w.at_bytes)::double precision / p_max_bytes)) > p_max_bytes / 4.0));
      end if;
      if cardinality(v_heavy) = 0 and v_log.spared_events = 0 then
        select * into v_horizon from bus_horizon(v_log, p_max_events, p_max_bytes, p_max_age_ms);
        v_log.horizon_seq := v_horizon.seq;
        update bus_logs l set
          head_seq = v_log.head_seq, head_nonce = v_log.head_nonce, head_bytes = v_log.head_bytes,
          horizon_seq = v_horizon.seq, horizon_nonce = v_horizon.nonce, horizon_bytes = v_horizon.bytes, heavy = v_heavy,
          head_at = v_at, indexed_from = v_log.indexed_from
        where l.namespace = p_namespace;
      else
        update bus_logs l set
          head_seq = v_log.head_seq, head_nonce = v_log.head_nonce, head_bytes = v_log.head_bytes, heavy = v_heavy,
          head_at = v_at, indexed_from = v_log.indexed_from
        where l.namespace = p_namespace;
        perform bus_cut(p_namespace, p_max_events, p_max_bytes, p_max_age_ms);
        select l.horizon_seq into v_log.horizon_seq from bus_logs l where l.namespace = p_namespace;
      end if;
    end if;
    epoch := v_log.epoch;
    unswept := v_log.horizon_seq - v_log.swept_seq;
    at_ms := floor(extract(epoch from v_at) * 1000);
    return next;
  end $$`;

/** Appends for a replica of the release before, which knows no index. */
export const appendOfRelease4 = sql`
  create or replace function bus_append(
    p_namespace text, p_ids uuid[], p_sources text[], p_topics text[], p_texts text,
    p_window_ms bigint, p_max_events bigint, p_max_bytes bigint, p_max_age_ms bigint)
  returns table (epoch text, seqs bigint[], nonces integer[], repeats integer[], unswept bigint, nonce_before integer)
  language sql
  as $$
    select a.epoch, a.seqs, a.nonces, a.repeats, a.unswept, a.nonce_before
    from bus_append_events(
      p_namespace, p_ids, p_sources, p_topics, p_texts, null, p_window_ms, p_max_events, p_max_bytes, p_max_age_ms) a
  $$`;
