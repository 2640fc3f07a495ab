

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE FUNCTION public.append_audit(p_namespace text, p_entries jsonb) RETURNS TABLE(ord bigint, seq bigint)
    LANGUAGE plpgsql
    AS $$
  #variable_conflict use_column
  declare
    v_head audit_heads;
    v_at timestamptz;
    v_previous bytea;
    v_entry record;
  begin
    insert into audit_heads (namespace, seq, at, hash)
    values (p_namespace, 0, 'epoch', decode(repeat('00', 32), 'hex'))
    on conflict do nothing;
    select * into v_head from audit_heads where namespace = p_namespace for update;
    v_at := greatest(v_head.at, date_trunc('milliseconds', clock_timestamp()));
    for v_entry in
      select e.entry, e.ord from jsonb_array_elements(p_entries) with ordinality as e(entry, ord) order by e.ord
    loop
      v_previous := v_head.hash;
      v_head.seq := v_head.seq + 1;
      v_head.hash := sha256(
        v_previous
        || convert_to(v_head.seq::text || ' ' || (extract(epoch from v_at) * 1000)::bigint::text || ' ', 'UTF8')
        || decode(v_entry.entry ->> 'digest', 'hex')
      );
      insert into audit_entries (
        namespace, seq, at, actor, action, target, before, after, reason, outcome, request_id, begun, previous, hash)
      values (
        p_namespace, v_head.seq, v_at, v_entry.entry ->> 'actor', v_entry.entry ->> 'action', v_entry.entry ->> 'target',
        nullif(v_entry.entry -> 'before', 'null'), nullif(v_entry.entry -> 'after', 'null'), v_entry.entry ->> 'reason',
        v_entry.entry ->> 'outcome', v_entry.entry ->> 'requestId', (v_entry.entry ->> 'begun')::bigint, v_previous, v_head.hash);
      ord := v_entry.ord;
      seq := v_head.seq;
      return next;
    end loop;
    update audit_heads h set seq = v_head.seq, at = v_at, hash = v_head.hash where h.namespace = p_namespace;
  end $$;

CREATE FUNCTION public.bus_ack(p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[]) RETURNS bigint
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  declare
    v_settled bigint;
  begin
    if (select e.entered_at is null from bus_enter_group(p_namespace, p_name) e) then
      return null;
    end if;
    delete from bus_deliveries where ctid = any(array(
      select d.row from unnest(p_epochs, p_seqs, p_nonces) as r(epoch, seq, nonce)
      cross join lateral (
        select d.ctid as row from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name
          and d.seq = r.seq and d.nonce = r.nonce and d.epoch = r.epoch
        limit 1
      ) d
    ));
    get diagnostics v_settled = row_count;
    return v_settled;
  end $$;

CREATE FUNCTION public.bus_append(p_namespace text, p_ids uuid[], p_sources text[], p_topics text[], p_texts text, p_window_ms bigint, p_max_events bigint, p_max_bytes bigint, p_max_age_ms bigint) RETURNS TABLE(epoch text, seqs bigint[], nonces integer[], repeats integer[], unswept bigint, nonce_before integer)
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  #variable_conflict use_column
  declare
    v_log bus_logs;
    v_at timestamptz;
    v_minute bigint;
    v_nonce integer := 1 + floor(random() * 2147483647)::integer;
    v_texts text[] := string_to_array(p_texts, E'\x1f');
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
      select g.ord::integer as ord, g.id, g.source, g.topic, g.text,
        min(g.ord::integer) over (partition by g.id, g.source) as first_ord,
        d.seq, d.nonce
      from unnest(p_ids, p_sources, p_topics, v_texts) with ordinality as g(id, source, topic, text, ord)
      left join lateral (
        select d.seq, d.nonce from bus_dedup d
        where d.namespace = p_namespace and d.source = g.source and d.id = g.id
          and d.at > v_at - p_window_ms * interval '1 millisecond'
        limit 1
      ) d on true
    ),
    fresh as materialized (
      select g.ord, g.id, g.source, g.topic, g.text,
        v_log.head_seq + row_number() over (order by g.ord) as seq,
        v_log.head_bytes + sum(octet_length(g.text)) over (order by g.ord) as bytes
      from given g where g.seq is null and g.ord = g.first_ord
    ),
    stored as (
      insert into bus_events (namespace, seq, nonce, bytes, at, topic, text)
      select p_namespace, f.seq, v_nonce, f.bytes, v_at, f.topic, f.text from fresh f order by f.ord
    ),
    remembered as (
      insert into bus_dedup (namespace, source, id, seq, nonce, at)
      select p_namespace, f.source, f.id, f.seq, v_nonce, v_at from fresh f
      on conflict (namespace, source, id) do update set seq = excluded.seq, nonce = excluded.nonce, at = excluded.at
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

    if v_added > 0 then
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
          head_at = v_at
        where l.namespace = p_namespace;
      else
        update bus_logs l set
          head_seq = v_log.head_seq, head_nonce = v_log.head_nonce, head_bytes = v_log.head_bytes, heavy = v_heavy,
          head_at = v_at
        where l.namespace = p_namespace;
        perform bus_cut(p_namespace, p_max_events, p_max_bytes, p_max_age_ms);
        select l.horizon_seq into v_log.horizon_seq from bus_logs l where l.namespace = p_namespace;
      end if;
    end if;
    epoch := v_log.epoch;
    unswept := v_log.horizon_seq - v_log.swept_seq;
    return next;
  end $$;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE public.bus_deliveries (
    namespace text NOT NULL COLLATE pg_catalog."C",
    group_name text NOT NULL COLLATE pg_catalog."C",
    seq bigint NOT NULL,
    nonce integer NOT NULL,
    epoch text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL COLLATE pg_catalog."C",
    life integer DEFAULT 0 NOT NULL,
    attempt integer NOT NULL,
    consumer text COLLATE pg_catalog."C",
    delivered_at timestamp with time zone,
    due_at timestamp with time zone,
    dead_at timestamp with time zone,
    ordinal bigint,
    history jsonb DEFAULT '[]'::jsonb NOT NULL,
    text text NOT NULL,
    uncounted integer DEFAULT 0 NOT NULL,
    passed boolean DEFAULT false NOT NULL,
    CONSTRAINT bus_deliveries_state_check CHECK ((state = ANY (ARRAY['in_flight'::text, 'waiting'::text, 'dead'::text])))
);

CREATE FUNCTION public.bus_attempt(p_delivery public.bus_deliveries, p_failed_at timestamp with time zone, p_reason text) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select jsonb_build_object(
      'attempt', p_delivery.attempt, 'consumer', p_delivery.consumer,
      'deliveredAt', floor(extract(epoch from p_delivery.delivered_at) * 1000)::bigint,
      'failedAt', floor(extract(epoch from p_failed_at) * 1000)::bigint,
      'reason', p_reason)
  $$;

CREATE FUNCTION public.bus_claim(p_namespace text, p_name text, p_consumer text, p_max_in_flight bigint, p_max bigint, p_max_bytes bigint, p_offer jsonb, p_seqs bigint[], p_nonces integer[]) RETURNS TABLE(taken integer, due json, cursor_epoch text, cursor_seq bigint, cursor_nonce integer, room bigint, next_due_ms bigint, gap text, lost bigint)
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  #variable_conflict use_column
  declare
    v_group record;
    v_epoch text;
    v_seq bigint;
    v_nonce integer;
    v_at timestamptz;
    v_log record;
    v_open bigint;
    v_free bigint;
    v_due bigint;
    v_at_cursor boolean;
    v_for_unread bigint;
    v_next timestamptz;
  begin
    select e.entered_at, (e.entered).name, (e.entered).ack_deadline_ms,
      (e.entered).cursor_epoch, (e.entered).cursor_seq, (e.entered).cursor_nonce
    into v_group from bus_enter_group(p_namespace, p_name) e;
    if v_group.entered_at is null then
      return;
    end if;
    v_at := v_group.entered_at;
    v_epoch := v_group.cursor_epoch;
    v_seq := v_group.cursor_seq;
    v_nonce := v_group.cursor_nonce;

    for i in 1..2 loop
      select resumed.gap, resumed.seq as resume_seq, resumed.nonce as resume_nonce,
        case when p_offer -> 'upTo' ->> 'epoch' <> l.epoch or not exists (
          select from bus_events e
          where e.namespace = p_namespace and e.seq = (p_offer -> 'upTo' ->> 'seq')::bigint
            and e.nonce = (p_offer -> 'upTo' ->> 'nonce')::bigint and e.spared_after is not null
        ) then bus_gap(l, p_offer -> 'upTo' ->> 'epoch', (p_offer -> 'upTo' ->> 'seq')::bigint,
          (p_offer -> 'upTo' ->> 'nonce')::bigint, (
            select e.nonce from bus_events e
            where e.namespace = p_namespace and e.seq = (p_offer -> 'upTo' ->> 'seq')::bigint)) end as offer_gap,
        l.epoch
      into v_log from bus_logs l
      cross join lateral bus_resume(l, v_group.cursor_seq, v_group.cursor_nonce,
        bus_gap(l, v_group.cursor_epoch, v_group.cursor_seq, v_group.cursor_nonce, (
          select e.nonce from bus_events e where e.namespace = p_namespace and e.seq = v_group.cursor_seq))) resumed
      where l.namespace = p_namespace;
      exit when found;
      perform bus_open_logs(array[p_namespace]);
    end loop;
    gap := v_log.gap;
    if gap is not null then
      lost := case when gap = 'retention' then v_log.resume_seq - v_seq end;
      v_epoch := v_log.epoch;
      v_seq := v_log.resume_seq;
      v_nonce := v_log.resume_nonce;
    end if;

    select count(*) into v_open from bus_deliveries d
    where d.namespace = p_namespace and d.group_name = p_name and d.state = 'in_flight' and d.consumer = p_consumer;
    v_free := greatest(0, least(p_max, p_max_in_flight - v_open));
    v_at_cursor := coalesce((p_offer ->> 'seq')::bigint = v_seq and (p_offer ->> 'nonce')::bigint = v_nonce
      and p_offer ->> 'epoch' = v_epoch, false);
    v_for_unread := 0;
    if v_at_cursor then
      v_for_unread := least((p_offer ->> 'count')::bigint,
        (v_free + case when p_offer ->> 'oddPlace' = 'unread' then 1 else 0 end) / 2);
    end if;
    v_due := 0;
    if v_free > v_for_unread then
      with chosen as materialized (
        select c.row, row_number() over (order by c.due_at, c.seq, c.row) as ord,
          sum(octet_length(c.text)) over (order by c.due_at, c.seq, c.row) as bytes
        from (
          select d.ctid as row, d.due_at, d.seq, d.text from bus_deliveries d
          where d.namespace = p_namespace and d.group_name = p_name and d.state = 'waiting' and d.due_at <= v_at
          order by d.due_at, d.seq limit v_free - v_for_unread
        ) c
      ),
      handed as (
        update bus_deliveries d set
          state = 'in_flight', attempt = d.attempt + 1, consumer = p_consumer, delivered_at = v_at,
          due_at = v_at + v_group.ack_deadline_ms * interval '1 millisecond'
        from chosen c where d.ctid = c.row and (
          c.ord = 1 or c.bytes <= case when v_for_unread > 0 then p_max_bytes / 2 else p_max_bytes end)
        returning c.ord, d.epoch, d.seq, d.nonce, d.life, d.attempt, d.text
      )
      select json_agg(json_build_array(h.epoch, h.seq, h.nonce, h.life, h.attempt, h.text) order by h.ord), count(*)
      into due, v_due from handed h;
    end if;

    taken := 0;
    if v_at_cursor then
      if v_free > v_due then
        with offered as materialized (
          select o.ord, o.seq, o.nonce, e.text
          from unnest(p_seqs, p_nonces) with ordinality as o(seq, nonce, ord)
          left join lateral (
            select e.text from bus_events e
            where e.namespace = p_namespace and e.seq = o.seq and e.nonce = o.nonce
            limit 1
          ) e on true
          where o.ord <= v_free - v_due
        )
        insert into bus_deliveries (
          namespace, group_name, seq, nonce, epoch, state, attempt, consumer, delivered_at, due_at, text)
        select p_namespace, p_name, o.seq, o.nonce, v_epoch, 'in_flight', 1, p_consumer, v_at,
          v_at + v_group.ack_deadline_ms * interval '1 millisecond', o.text
        from offered o
        where o.ord < coalesce((select min(m.ord) from offered m where m.text is null), v_free + 1)
        order by o.ord;
        get diagnostics taken = row_count;
      end if;
      if taken = (p_offer ->> 'count')::bigint and v_log.offer_gap is null then
        v_seq := (p_offer -> 'upTo' ->> 'seq')::bigint;
        v_nonce := (p_offer -> 'upTo' ->> 'nonce')::bigint;
      elsif taken > 0 then
        v_seq := p_seqs[taken];
        v_nonce := p_nonces[taken];
      end if;
    end if;
    if gap is not null or v_seq <> v_group.cursor_seq then
      update bus_groups g set cursor_epoch = v_epoch, cursor_seq = v_seq, cursor_nonce = v_nonce
      where g.namespace = p_namespace and g.name = p_name;
    end if;

    cursor_epoch := v_epoch;
    cursor_seq := v_seq;
    cursor_nonce := v_nonce;
    room := greatest(0, p_max_in_flight - v_open - v_due - taken);
    select least(
      (select min(d.due_at) from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name and d.state = 'in_flight'),
      (select min(d.due_at) from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name and d.state = 'waiting')
    ) into v_next;
    next_due_ms := case when v_next is not null then ceil(greatest(0, extract(epoch from v_next - v_at)) * 1000) end;
    return next;
  end $$;

CREATE FUNCTION public.bus_cut(p_namespace text, p_max_events bigint, p_max_bytes bigint, p_max_age_ms bigint) RETURNS boolean
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  declare
    v_log bus_logs;
    v_cutoff timestamptz := clock_timestamp() - p_max_age_ms * interval '1 millisecond';
    v_event record;
    v_horizon record;
    v_before bigint;
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
      v_log := bus_remove_spared(v_log, v_cutoff, 0, 0);
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
  end $$;

CREATE FUNCTION public.bus_delete_group(p_namespace text, p_name text, p_most bigint, p_deleted bigint) RETURNS TABLE(more boolean, state json)
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  #variable_conflict use_column
  declare
    v_group bus_groups;
  begin
    select * into v_group from bus_groups g where g.namespace = p_namespace and g.name = p_name for update;
    if not found then
      return;
    end if;
    state := bus_group_state(v_group);
    delete from bus_deliveries d where d.ctid = any(array(
      select d.ctid from bus_deliveries d where d.namespace = p_namespace and d.group_name = p_name limit p_most));
    more := exists (select from bus_deliveries d where d.namespace = p_namespace and d.group_name = p_name);
    if more then
      update bus_groups g set paused = coalesce(g.paused, jsonb_build_object(
        'reason', 'is being deleted', 'by', '/core', 'at', floor(extract(epoch from clock_timestamp()) * 1000)::bigint))
      where g.namespace = p_namespace and g.name = p_name;
      return next;
      return;
    end if;
    delete from bus_groups g where g.namespace = p_namespace and g.name = p_name;
    insert into bus_deleted_groups (namespace, id, at) values (p_namespace, v_group.id, clock_timestamp());
    delete from bus_deleted_groups d where d.namespace = p_namespace and d.at < (
      select o.at from bus_deleted_groups o where o.namespace = p_namespace order by o.at desc offset p_deleted - 1 limit 1);
    return next;
  end $$;

CREATE TABLE public.bus_groups (
    namespace text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    topics text[] NOT NULL COLLATE pg_catalog."C",
    ack_deadline_ms bigint NOT NULL,
    max_deliveries integer NOT NULL,
    cursor_epoch text NOT NULL COLLATE pg_catalog."C",
    cursor_seq bigint NOT NULL,
    cursor_nonce integer NOT NULL,
    deaths bigint DEFAULT 0 NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL COLLATE pg_catalog."C",
    version bigint DEFAULT 1 NOT NULL,
    made jsonb,
    paused jsonb,
    maker text COLLATE pg_catalog."C",
    owned_by text COLLATE pg_catalog."C",
    made_by text,
    made_at timestamp with time zone,
    lives bigint DEFAULT 0 NOT NULL,
    replay_epoch text COLLATE pg_catalog."C",
    replay_seq bigint,
    replay_nonce integer,
    replay_life integer,
    sought jsonb DEFAULT '[]'::jsonb NOT NULL
)
WITH (fillfactor='40');

CREATE FUNCTION public.bus_enter_group(p_namespace text, p_name text, OUT entered public.bus_groups, OUT entered_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  declare
    v_died bigint;
  begin
    select * into entered from bus_groups g where g.namespace = p_namespace and g.name = p_name for update;
    if entered.name is null then
      return;
    end if;
    entered_at := clock_timestamp();
    if exists (
      select from bus_deliveries d
      where d.namespace = p_namespace and d.group_name = p_name and d.state = 'in_flight' and d.due_at <= entered_at
    ) then
      with passed as materialized (
        select p.row, p.dies, p.consumer,
          entered.deaths + row_number() over (partition by p.dies order by p.due_at, p.seq) as ordinal
        from (
          select d.ctid as row, d.attempt >= entered.max_deliveries as dies, d.due_at, d.seq, d.consumer
          from bus_deliveries d
          where d.namespace = p_namespace and d.group_name = p_name and d.state = 'in_flight' and d.due_at <= entered_at
          order by d.due_at, d.seq limit 2000
        ) p
      ),
      moved as (
        update bus_deliveries d set
          state = case when p.dies then 'dead' else 'waiting' end,
          passed = true,
          history = d.history || bus_attempt(d, d.due_at, null),
          ordinal = case when p.dies then p.ordinal end,
          dead_at = case when p.dies then entered_at end
        from passed p where d.ctid = p.row
      ),
      missed as (
        insert into bus_members (namespace, group_name, consumer, sign_at, missed)
        select p_namespace, p_name, p.consumer, 'epoch', count(*) from passed p group by p.consumer
        on conflict (namespace, group_name, consumer) do update set missed = bus_members.missed + excluded.missed
      )
      select count(*) into v_died from passed p where p.dies;
      if v_died > 0 then
        update bus_groups g set deaths = g.deaths + v_died where g.namespace = p_namespace and g.name = p_name;
        entered.deaths := entered.deaths + v_died;
      end if;
    end if;
  end $$;

CREATE FUNCTION public.bus_extend(p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[], p_lives bigint[], p_attempts bigint[], p_uncounted bigint[], p_by_ms bigint) RETURNS TABLE(extended bigint, due_at_ms bigint)
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
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
  end $$;

CREATE TABLE public.bus_logs (
    namespace text NOT NULL COLLATE pg_catalog."C",
    epoch text NOT NULL COLLATE pg_catalog."C",
    head_seq bigint DEFAULT 0 NOT NULL,
    head_nonce integer DEFAULT 0 NOT NULL,
    head_bytes bigint DEFAULT 0 NOT NULL,
    horizon_seq bigint DEFAULT 0 NOT NULL,
    horizon_nonce integer DEFAULT 0 NOT NULL,
    horizon_bytes bigint DEFAULT 0 NOT NULL,
    swept_seq bigint DEFAULT 0 NOT NULL,
    spared_events bigint DEFAULT 0 NOT NULL,
    spared_bytes bigint DEFAULT 0 NOT NULL,
    heavy text[] DEFAULT '{}'::text[] NOT NULL,
    head_at timestamp with time zone
)
WITH (fillfactor='40');

CREATE FUNCTION public.bus_gap(p_log public.bus_logs, p_epoch text, p_seq bigint, p_nonce bigint, p_nonce_there integer) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
    select case
      when p_epoch = '0' then case when p_log.horizon_seq > 0 then 'retention' end
      when p_log.epoch <> p_epoch or p_seq > p_log.head_seq then 'log_lost'
      when p_seq < p_log.horizon_seq then 'retention'
      when p_nonce is distinct from case p_seq
        when p_log.head_seq then p_log.head_nonce
        when p_log.horizon_seq then p_log.horizon_nonce
        else p_nonce_there
      end then 'log_lost'
    end
  $$;

CREATE FUNCTION public.bus_give_back(p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[], p_lives bigint[], p_attempts bigint[], p_uncounted bigint[]) RETURNS bigint
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
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
  end $$;

CREATE FUNCTION public.bus_group_state(p_group public.bus_groups) RETURNS json
    LANGUAGE sql STABLE
    AS $$
    select json_build_object(
      'id', p_group.id, 'version', p_group.version,
      'topics', p_group.topics, 'ackDeadlineMs', p_group.ack_deadline_ms, 'maxDeliveries', p_group.max_deliveries,
      'made', coalesce(p_group.made, jsonb_build_object('topics', p_group.topics,
        'ackDeadlineMs', p_group.ack_deadline_ms, 'maxDeliveries', p_group.max_deliveries)),
      'paused', p_group.paused, 'ownedBy', p_group.owned_by, 'madeBy', p_group.made_by,
      'madeAt', floor(extract(epoch from p_group.made_at) * 1000)::bigint)
  $$;

CREATE FUNCTION public.bus_hand_out(p_namespace text, p_name text, p_group_id text, p_consumer text, p_is_sign boolean, p_patience_ms bigint, p_max_in_flight bigint, p_max bigint, p_max_bytes bigint, p_offer jsonb, p_seqs bigint[], p_nonces integer[]) RETURNS TABLE(passed integer, passed_over integer[], due json, due_at_ms bigint, cursor_epoch text, cursor_seq bigint, cursor_nonce integer, room bigint, next_due_ms bigint, gap text, lost bigint, replay_up_to bigint, replay_life integer, is_silent boolean, paused boolean, changed json, deleted boolean)
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  #variable_conflict use_column
  declare
    v_group record;
    v_replays boolean;
    v_held bigint := 0;
    v_taken bigint := 0;
    v_start bigint;
    v_epoch text;
    v_seq bigint;
    v_nonce integer;
    v_at timestamptz;
    v_log record;
    v_open bigint;
    v_free bigint;
    v_due bigint;
    v_at_cursor boolean;
    v_for_unread bigint;
    v_next timestamptz;
    v_due_at timestamptz;
    v_patience interval;
    v_left_until timestamptz;
  begin
    select (e.entered).*, e.entered_at into v_group from bus_enter_group(p_namespace, p_name) e;
    deleted := false;
    if v_group.entered_at is null or v_group.id <> p_group_id then
      deleted := exists (select from bus_deleted_groups d where d.namespace = p_namespace and d.id = p_group_id);
      if deleted then
        return next;
      end if;
      return;
    end if;
    v_at := v_group.entered_at;
    v_due_at := v_at + v_group.ack_deadline_ms * interval '1 millisecond';
    due_at_ms := floor(extract(epoch from v_due_at) * 1000);
    v_replays := bus_replays(v_group.cursor_epoch, v_group.cursor_seq, v_group.replay_epoch, v_group.replay_seq);
    v_epoch := v_group.cursor_epoch;
    v_seq := case when v_replays then v_group.replay_seq else v_group.cursor_seq end;
    v_nonce := case when v_replays then v_group.replay_nonce else v_group.cursor_nonce end;
    v_start := v_seq;
    is_silent := false;
    passed := 0;
    passed_over := '{}';
    paused := v_group.paused is not null;
    select count(*) into v_open from bus_deliveries d
    where d.namespace = p_namespace and d.group_name = p_name and d.state = 'in_flight' and d.consumer = p_consumer;
    if paused then
      cursor_epoch := v_epoch;
      cursor_seq := v_seq;
      cursor_nonce := v_nonce;
      room := greatest(0, p_max_in_flight - v_open);
      return next;
      return;
    end if;

    for i in 1..2 loop
      select resumed.gap, resumed.seq as resume_seq, resumed.nonce as resume_nonce,
        case when p_offer -> 'upTo' ->> 'epoch' <> l.epoch or not exists (
          select from bus_events e
          where e.namespace = p_namespace and e.seq = (p_offer -> 'upTo' ->> 'seq')::bigint
            and e.nonce = (p_offer -> 'upTo' ->> 'nonce')::bigint and e.spared_after is not null
        ) then bus_gap(l, p_offer -> 'upTo' ->> 'epoch', (p_offer -> 'upTo' ->> 'seq')::bigint,
          (p_offer -> 'upTo' ->> 'nonce')::bigint, (
            select e.nonce from bus_events e
            where e.namespace = p_namespace and e.seq = (p_offer -> 'upTo' ->> 'seq')::bigint)) end as offer_gap,
        l.epoch
      into v_log from bus_logs l
      cross join lateral bus_resume(l, v_seq, v_nonce,
        bus_gap(l, v_epoch, v_seq, v_nonce, (
          select e.nonce from bus_events e where e.namespace = p_namespace and e.seq = v_seq))) resumed
      where l.namespace = p_namespace;
      exit when found;
      perform bus_open_logs(array[p_namespace]);
    end loop;
    gap := v_log.gap;
    if gap is not null then
      lost := case when gap = 'retention' then v_log.resume_seq - v_seq end;
      v_epoch := v_log.epoch;
      v_seq := v_log.resume_seq;
      v_nonce := v_log.resume_nonce;
    end if;

    v_free := greatest(0, least(p_max, p_max_in_flight - v_open));
    v_patience := interval '0';
    if p_consumer <> '' then
      if p_is_sign then
        perform bus_show_signs(p_namespace, p_name, array[p_consumer], v_at);
      else
        is_silent := v_open = 0 and exists (
          select from bus_members m
          where m.namespace = p_namespace and m.group_name = p_name and m.consumer = p_consumer and m.missed > 0);
      end if;
      if exists (
        select from bus_members m
        where m.namespace = p_namespace and m.group_name = p_name and m.consumer <> p_consumer and m.missed = 0
      ) then
        v_patience := p_patience_ms * interval '1 millisecond';
      end if;
    end if;
    if is_silent then
      v_free := 0;
    end if;
    v_at_cursor := coalesce((p_offer ->> 'seq')::bigint = v_seq and (p_offer ->> 'nonce')::bigint = v_nonce
      and p_offer ->> 'epoch' = v_epoch, false);
    if (p_offer ->> 'version')::bigint <> v_group.version then
      v_at_cursor := false;
      changed := bus_group_state(g) from bus_groups g where g.namespace = p_namespace and g.name = p_name;
    end if;
    v_for_unread := 0;
    if v_at_cursor then
      v_replays := v_replays and v_epoch = v_group.cursor_epoch;
      if v_replays then
        select count(*) into v_held from unnest(p_seqs, p_nonces) as o(seq, nonce)
        cross join lateral (
          select from bus_deliveries d
          where d.namespace = p_namespace and d.group_name = p_name
            and d.seq = o.seq and d.nonce = o.nonce and d.epoch = v_epoch
          limit 1
        ) d;
      end if;
      v_for_unread := least((p_offer ->> 'count')::bigint - v_held,
        (v_free + case when p_offer ->> 'oddPlace' = 'unread' then 1 else 0 end) / 2);
    end if;
    v_due := 0;
    if v_free > v_for_unread then
      with chosen as materialized (
        select c.row, row_number() over (order by c.due_at, c.seq, c.row) as ord,
          sum(octet_length(c.text)) over (order by c.due_at, c.seq, c.row) as bytes
        from (
          select d.ctid as row, d.due_at, d.seq, d.text from bus_deliveries d
          where d.namespace = p_namespace and d.group_name = p_name and d.state = 'waiting' and d.due_at <= v_at
            and not (d.passed and d.consumer = p_consumer and d.due_at + v_patience > v_at)
          order by d.due_at, d.seq limit v_free - v_for_unread
        ) c
      ),
      handed as (
        update bus_deliveries d set
          state = 'in_flight', attempt = d.attempt + 1, consumer = p_consumer, delivered_at = v_at,
          due_at = v_due_at
        from chosen c where d.ctid = c.row and (
          c.ord = 1 or c.bytes <= case when v_for_unread > 0 then p_max_bytes / 2 else p_max_bytes end)
        returning c.ord, d.epoch, d.seq, d.nonce, d.life, d.attempt, d.uncounted, d.text
      )
      select json_agg(json_build_array(h.epoch, h.seq, h.nonce, h.life, h.attempt, h.uncounted, h.text) order by h.ord), count(*)
      into due, v_due from handed h;
    end if;

    if v_at_cursor then
      if v_free > v_due or v_held > 0 then
        with offered as materialized (
          select o.ord, o.seq, o.nonce, h.held, e.text,
            count(*) filter (where h.held is null) over (order by o.ord) as places
          from unnest(p_seqs, p_nonces) with ordinality as o(seq, nonce, ord)
          left join lateral (
            select true as held from bus_deliveries d
            where v_replays and d.namespace = p_namespace and d.group_name = p_name
              and d.seq = o.seq and d.nonce = o.nonce and d.epoch = v_epoch
            limit 1
          ) h on true
          left join lateral (
            select e.text from bus_events e
            where h.held is null and e.namespace = p_namespace and e.seq = o.seq and e.nonce = o.nonce
            limit 1
          ) e on true
          where o.ord <= v_free - v_due + v_held
        ),
        chosen as materialized (
          select o.* from offered o
          where o.ord < coalesce((
            select min(m.ord) from offered m where m.held is null and (m.text is null or m.places > v_free - v_due)
          ), v_free + v_held + 1)
        ),
        stored as (
          insert into bus_deliveries (
            namespace, group_name, seq, nonce, epoch, state, life, attempt, consumer, delivered_at, due_at, text)
          select p_namespace, p_name, c.seq, c.nonce, v_epoch, 'in_flight',
            case when v_replays and c.seq <= v_group.cursor_seq then v_group.replay_life else 0 end, 1, p_consumer, v_at,
            v_due_at, c.text
          from chosen c where c.held is null
          order by c.ord
        )
        select count(*), count(*) filter (where c.held is null),
          coalesce(array_agg(c.ord::integer - 1 order by c.ord) filter (where c.held), '{}')
        into passed, v_taken, passed_over from chosen c;
      end if;
      if passed = (p_offer ->> 'count')::bigint and v_log.offer_gap is null then
        v_seq := (p_offer -> 'upTo' ->> 'seq')::bigint;
        v_nonce := (p_offer -> 'upTo' ->> 'nonce')::bigint;
      elsif passed > 0 then
        v_seq := p_seqs[passed];
        v_nonce := p_nonces[passed];
      end if;
    end if;
    if v_replays and v_epoch = v_group.cursor_epoch and v_seq < v_group.cursor_seq then
      replay_up_to := v_group.cursor_seq;
      replay_life := v_group.replay_life;
      if v_seq <> v_start then
        update bus_groups g set replay_seq = v_seq, replay_nonce = v_nonce
        where g.namespace = p_namespace and g.name = p_name;
      end if;
    elsif gap is not null or v_seq <> v_start then
      if v_replays then
        replay_up_to := v_group.cursor_seq;
        replay_life := v_group.replay_life;
      end if;
      update bus_groups g set cursor_epoch = v_epoch, cursor_seq = v_seq, cursor_nonce = v_nonce, replay_epoch = null
      where g.namespace = p_namespace and g.name = p_name;
    end if;

    cursor_epoch := v_epoch;
    cursor_seq := v_seq;
    cursor_nonce := v_nonce;
    room := greatest(0, p_max_in_flight - v_open - v_due - v_taken);
    select least(
      (select min(d.due_at) from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name and d.state = 'in_flight'),
      (select min(d.due_at) from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name and d.state = 'waiting')
    ) into v_next;
    -- What is left to others is due, and yet not for this one.
    if v_next <= v_at and v_due = 0 and v_free > 0 then
      select min(d.due_at) + v_patience into v_left_until from bus_deliveries d
      where d.namespace = p_namespace and d.group_name = p_name and d.state = 'waiting' and d.due_at <= v_at
        and d.passed and d.consumer = p_consumer and d.due_at + v_patience > v_at;
      v_next := coalesce(v_left_until, v_next);
    end if;
    next_due_ms := case when v_next is not null then ceil(greatest(0, extract(epoch from v_next - v_at)) * 1000) end;
    return next;
  end $$;

CREATE FUNCTION public.bus_horizon(p_log public.bus_logs, p_max_events bigint, p_max_bytes bigint, p_max_age_ms bigint, OUT seq bigint, OUT nonce integer, OUT bytes bigint, OUT settled boolean) RETURNS record
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  #variable_conflict use_column
  declare
    v_cutoff timestamptz := clock_timestamp() - p_max_age_ms * interval '1 millisecond';
    v_event record;
    v_over boolean;
  begin
    seq := p_log.horizon_seq;
    nonce := p_log.horizon_nonce;
    bytes := p_log.horizon_bytes;
    if p_log.head_seq - p_log.horizon_seq > p_max_events then
      select e.seq, e.nonce, e.bytes into seq, nonce, bytes
      from bus_events e where e.namespace = p_log.namespace and e.seq = p_log.head_seq - p_max_events;
    end if;
    settled := true;
    for v_event in
      select e.seq, e.nonce, e.bytes, e.at from bus_events e
      where e.namespace = p_log.namespace and e.seq > p_log.horizon_seq
        and e.seq > p_log.head_seq - p_max_events
      order by e.seq limit 10000
    loop
      settled := v_event.at >= v_cutoff and p_log.head_bytes - bytes <= p_max_bytes;
      exit when settled;
      seq := v_event.seq;
      nonce := v_event.nonce;
      bytes := v_event.bytes;
    end loop;
    settled := settled or seq = p_log.head_seq;
  end $$;

CREATE FUNCTION public.bus_join_group(p_namespace text, p_name text, p_topics text[], p_ack_deadline_ms bigint, p_max_deliveries integer, p_from text, p_epoch text, p_seq bigint, p_nonce bigint, p_group_id text, p_source text, p_agent text, p_owns boolean, p_in_namespace bigint, p_of_agent bigint) RETURNS TABLE(refused text, state json, cursor_epoch text, cursor_seq bigint, cursor_nonce integer, created boolean)
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  #variable_conflict use_column
  begin
    created := false;
    if exists (select from bus_deleted_groups d where d.namespace = p_namespace and d.id = p_group_id) then
      refused := 'deleted';
    elsif not exists (select from bus_groups g where g.namespace = p_namespace and g.name = p_name) then
      if p_topics is null then
        refused := 'absent';
      else
        perform bus_open_logs(array[p_namespace]);
        if p_in_namespace is not null or p_of_agent is not null then
          perform from bus_logs l where l.namespace = p_namespace for update;
          if exists (select from bus_groups g where g.namespace = p_namespace and g.name = p_name) then
            null;
          elsif p_in_namespace <= (
            select count(*) from (select from bus_groups g where g.namespace = p_namespace limit p_in_namespace) g
          ) then
            refused := 'namespace';
          elsif p_of_agent <= (
            select count(*) from bus_groups g where g.namespace = p_namespace and g.maker = p_agent
          ) then
            refused := 'agent';
          end if;
        end if;
        if refused is null then
          insert into bus_groups (
            namespace, name, topics, ack_deadline_ms, max_deliveries, cursor_epoch, cursor_seq, cursor_nonce,
            maker, owned_by, made_by, made_at)
          select p_namespace, p_name, p_topics, p_ack_deadline_ms, p_max_deliveries, l.epoch,
            case when p_from = 'latest' then l.head_seq when at_position.ok then p_seq else oldest.seq end,
            case when p_from = 'latest' then l.head_nonce when at_position.ok then p_nonce else oldest.nonce end,
            p_agent, case when p_owns then p_agent end, p_source, clock_timestamp()
          from bus_logs l
          cross join lateral bus_resume(l, 0, 0, 'log_lost') oldest
          cross join lateral (
            select p_from = 'position' and bus_gap(l, p_epoch, p_seq, p_nonce, (
              select e.nonce from bus_events e where e.namespace = p_namespace and e.seq = p_seq)) is null as ok
          ) at_position
          where l.namespace = p_namespace
          on conflict do nothing;
          created := found;
        end if;
      end if;
    end if;
    if refused is not null then
      return next;
      return;
    end if;
    return query
      select null, bus_group_state(g), g.cursor_epoch,
        case when r.replays then g.replay_seq else g.cursor_seq end,
        case when r.replays then g.replay_nonce else g.cursor_nonce end, created
      from bus_groups g
      cross join lateral (
        select bus_replays(g.cursor_epoch, g.cursor_seq, g.replay_epoch, g.replay_seq) as replays) r
      where g.namespace = p_namespace and g.name = p_name;
  end $$;

CREATE FUNCTION public.bus_nack(p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[], p_lives bigint[], p_attempts bigint[], p_delay_ms bigint, p_reason text) RETURNS bigint
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  declare
    v_group record;
    v_settled bigint;
    v_died bigint;
  begin
    select e.entered_at, (e.entered).max_deliveries, (e.entered).deaths into v_group from bus_enter_group(p_namespace, p_name) e;
    if v_group.entered_at is null then
      return null;
    end if;
    with refused as materialized (
      select d.row, d.attempt >= v_group.max_deliveries as dies,
        row_number() over (partition by d.attempt >= v_group.max_deliveries order by min(r.ord)) as ord
      from unnest(p_epochs, p_seqs, p_nonces, p_lives, p_attempts) with ordinality as r(epoch, seq, nonce, life, attempt, ord)
      cross join lateral (
        select d.ctid as row, d.state, d.life, d.attempt, d.due_at from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name
          and d.seq = r.seq and d.nonce = r.nonce and d.epoch = r.epoch
        limit 1
      ) d
      where d.state = 'in_flight' and d.life = r.life and d.attempt = r.attempt and d.due_at > v_group.entered_at
      group by d.row, d.attempt
    ),
    moved as (
      update bus_deliveries d set
        state = case when r.dies then 'dead' else 'waiting' end,
        due_at = v_group.entered_at + p_delay_ms * interval '1 millisecond',
        history = d.history || bus_attempt(d, v_group.entered_at, p_reason),
        ordinal = case when r.dies then v_group.deaths + r.ord end,
        dead_at = case when r.dies then v_group.entered_at end
      from refused r where d.ctid = r.row
    )
    select count(*), count(*) filter (where r.dies) into v_settled, v_died from refused r;
    if v_died > 0 then
      update bus_groups g set deaths = g.deaths + v_died where g.namespace = p_namespace and g.name = p_name;
    end if;
    return v_settled;
  end $$;

CREATE FUNCTION public.bus_nack(p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[], p_lives bigint[], p_attempts bigint[], p_uncounted bigint[], p_delay_ms bigint, p_reason text) RETURNS bigint
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  declare
    v_group record;
    v_settled bigint;
    v_died bigint;
    v_consumers text[];
  begin
    select e.entered_at, (e.entered).max_deliveries, (e.entered).deaths into v_group from bus_enter_group(p_namespace, p_name) e;
    if v_group.entered_at is null then
      return null;
    end if;
    with refused as materialized (
      select o.place, d.consumer, d.attempt >= v_group.max_deliveries as dies,
        row_number() over (partition by d.attempt >= v_group.max_deliveries order by o.ord) as ord
      from bus_open_attempts(
        p_namespace, p_name, v_group.entered_at, p_epochs, p_seqs, p_nonces, p_lives, p_attempts, p_uncounted) o
      cross join lateral (select d.attempt, d.consumer from bus_deliveries d where d.ctid = o.place) d
    ),
    moved as (
      update bus_deliveries d set
        state = case when r.dies then 'dead' else 'waiting' end,
        passed = false,
        due_at = v_group.entered_at + p_delay_ms * interval '1 millisecond',
        history = d.history || bus_attempt(d, v_group.entered_at, p_reason),
        ordinal = case when r.dies then v_group.deaths + r.ord end,
        dead_at = case when r.dies then v_group.entered_at end
      from refused r where d.ctid = r.place
    )
    select count(*), count(*) filter (where r.dies), array_agg(distinct r.consumer) into v_settled, v_died, v_consumers
    from refused r;
    if v_settled > 0 then
      perform bus_show_signs(p_namespace, p_name, v_consumers, v_group.entered_at);
    end if;
    if v_died > 0 then
      update bus_groups g set deaths = g.deaths + v_died where g.namespace = p_namespace and g.name = p_name;
    end if;
    return v_settled;
  end $$;

CREATE FUNCTION public.bus_next_life(p_namespace text, p_name text) RETURNS integer
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  declare
    v_life integer;
  begin
    update bus_groups g set lives = g.lives + 1 where g.namespace = p_namespace and g.name = p_name
    returning g.lives + g.deaths into v_life;
    return v_life;
  end $$;

CREATE FUNCTION public.bus_open_attempts(p_namespace text, p_name text, p_at timestamp with time zone, p_epochs text[], p_seqs bigint[], p_nonces bigint[], p_lives bigint[], p_attempts bigint[], p_uncounted bigint[]) RETURNS TABLE(place tid, ord bigint)
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  begin
    return query
    select d.place, min(r.ord)
    from unnest(p_epochs, p_seqs, p_nonces, p_lives, p_attempts, p_uncounted)
      with ordinality as r(epoch, seq, nonce, life, attempt, uncounted, ord)
    cross join lateral (
      select d.ctid as place, d.state, d.life, d.attempt, d.uncounted, d.due_at from bus_deliveries d
      where d.namespace = p_namespace and d.group_name = p_name
        and d.seq = r.seq and d.nonce = r.nonce and d.epoch = r.epoch
      limit 1
    ) d
    where d.state = 'in_flight' and d.life = r.life and d.attempt = r.attempt and d.uncounted = r.uncounted
      and d.due_at > p_at
    group by d.place;
  end $$;

CREATE FUNCTION public.bus_open_group(p_namespace text, p_name text, p_topics text[], p_ack_deadline_ms bigint, p_max_deliveries integer, p_latest boolean) RETURNS TABLE(topics text[], ack_deadline_ms bigint, max_deliveries integer, cursor_epoch text, cursor_seq bigint, cursor_nonce integer, created boolean)
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  #variable_conflict use_column
  declare
    v_created boolean := false;
  begin
    if not exists (select from bus_groups g where g.namespace = p_namespace and g.name = p_name) then
      perform bus_open_logs(array[p_namespace]);
      insert into bus_groups (
        namespace, name, topics, ack_deadline_ms, max_deliveries, cursor_epoch, cursor_seq, cursor_nonce)
      select p_namespace, p_name, p_topics, p_ack_deadline_ms, p_max_deliveries, l.epoch,
        case when p_latest then l.head_seq else oldest.seq end,
        case when p_latest then l.head_nonce else oldest.nonce end
      from bus_logs l cross join lateral bus_resume(l, 0, 0, 'log_lost') oldest where l.namespace = p_namespace
      on conflict do nothing;
      v_created := found;
    end if;
    return query
      select g.topics, g.ack_deadline_ms, g.max_deliveries, g.cursor_epoch, g.cursor_seq, g.cursor_nonce, v_created
      from bus_groups g where g.namespace = p_namespace and g.name = p_name;
  end $$;

CREATE FUNCTION public.bus_open_logs(p_namespaces text[]) RETURNS void
    LANGUAGE sql
    AS $$
    insert into bus_logs (namespace, epoch)
    select n.namespace, left(replace(gen_random_uuid()::text, '-', ''), 12)
    from (select distinct namespace collate "C" as namespace from unnest(p_namespaces) as u(namespace)) n
    where not exists (select from bus_logs l where l.namespace = n.namespace)
    order by n.namespace
    on conflict do nothing
  $$;

CREATE FUNCTION public.bus_position_before(p_namespace text, p_at timestamp with time zone) RETURNS TABLE(epoch text, seq bigint, nonce integer)
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  #variable_conflict use_column
  declare
    v_log bus_logs;
    v_event record;
    v_low bigint := 0;
    v_high bigint;
    v_middle bigint;
  begin
    select * into v_log from bus_logs l where l.namespace = p_namespace;
    if not found then
      return;
    end if;
    epoch := v_log.epoch;
    if v_log.spared_events = 0 then
      v_low := v_log.horizon_seq;
    end if;
    v_high := v_log.head_seq + 1;
    while v_high - v_low > 1 loop
      v_middle := (v_low + v_high) / 2;
      select e.seq, e.at into v_event from bus_events e
      where e.namespace = p_namespace and e.seq >= v_middle and (e.seq > v_log.horizon_seq or e.spared_after is not null)
      order by e.seq limit 1;
      if found and v_event.at < p_at then
        v_low := greatest(v_middle, v_event.seq);
      else
        v_high := v_middle;
      end if;
    end loop;
    if v_low >= v_log.head_seq then
      return query select epoch, v_log.head_seq, v_log.head_nonce;
      return;
    end if;
    select e.seq, e.spared_after into v_event from bus_events e
    where e.namespace = p_namespace and e.seq > v_low and e.seq <= v_log.horizon_seq and e.spared_after is not null
    order by e.seq limit 1;
    if found then
      return query select epoch, v_event.seq - 1, v_event.spared_after;
    elsif v_low <= v_log.horizon_seq then
      return query select epoch, v_log.horizon_seq, v_log.horizon_nonce;
    else
      return query select epoch, e.seq, e.nonce from bus_events e where e.namespace = p_namespace and e.seq = v_low;
    end if;
  end $$;

CREATE FUNCTION public.bus_remove_idle_group(p_namespace text, p_name text, p_id text) RETURNS boolean
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  declare
    v_group bus_groups;
    v_log bus_logs;
  begin
    select * into v_group from bus_groups g
    where g.namespace = p_namespace and g.name = p_name and g.id = p_id and g.paused is null for update;
    if not found then
      return false;
    end if;
    select * into v_log from bus_logs l where l.namespace = p_namespace for share;
    if v_log.epoch is distinct from v_group.cursor_epoch or v_log.head_seq <> v_group.cursor_seq
      or bus_replays(v_group.cursor_epoch, v_group.cursor_seq, v_group.replay_epoch, v_group.replay_seq)
      or exists (select from bus_deliveries d where d.namespace = p_namespace and d.group_name = p_name) then
      return false;
    end if;
    delete from bus_groups g where g.namespace = p_namespace and g.name = p_name;
    return true;
  end $$;

CREATE FUNCTION public.bus_remove_spared(p_log public.bus_logs, p_cutoff timestamp with time zone, p_events bigint, p_bytes bigint) RETURNS public.bus_logs
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
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
  end $$;

CREATE FUNCTION public.bus_replays(p_epoch text, p_seq bigint, p_replay_epoch text, p_replay_seq bigint) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$ select coalesce(p_replay_epoch = p_epoch and p_replay_seq < p_seq, false) $$;

CREATE FUNCTION public.bus_resolve_dead(p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[], p_up_to bigint, p_max bigint, p_redrive boolean) RETURNS bigint
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  declare
    v_at timestamptz;
    v_life integer;
    v_later integer;
    v_rows tid[];
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
  end $$;

CREATE FUNCTION public.bus_resume(p_log public.bus_logs, p_seq bigint, p_nonce bigint, p_gap text, OUT gap text, OUT seq bigint, OUT nonce integer) RETURNS record
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  #variable_conflict use_column
  declare
    v_next record;
  begin
    gap := p_gap;
    seq := p_log.horizon_seq;
    nonce := p_log.horizon_nonce;
    if p_gap is null or p_log.spared_events = 0 then
      return;
    end if;
    select e.seq, e.spared_after into v_next from bus_events e
    where e.namespace = p_log.namespace and e.spared_after is not null
      and e.seq > case p_gap when 'retention' then p_seq else 0 end
    order by e.seq limit 1;
    if found then
      seq := v_next.seq - 1;
      nonce := v_next.spared_after;
      if p_gap = 'retention' and seq = p_seq and nonce = p_nonce then
        gap := null;
      end if;
    end if;
  end $$;

CREATE FUNCTION public.bus_retain(p_namespace text, p_max_events bigint, p_max_bytes bigint, p_max_age_ms bigint) RETURNS boolean
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  begin
    return bus_cut(p_namespace, p_max_events, p_max_bytes, p_max_age_ms);
  end $$;

CREATE FUNCTION public.bus_seek_group(p_namespace text, p_name text, p_to text, p_epoch text, p_seq bigint, p_nonce bigint, p_most bigint, p_ranges integer) RETURNS TABLE(not_there boolean, more boolean, dropped bigint, state json, was json, "is" json)
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  #variable_conflict use_column
  declare
    v_group bus_groups;
    v_at timestamptz;
    v_log bus_logs;
    v_replays boolean;
    v_seq bigint;
    v_nonce integer;
    v_from bigint;
    v_life integer;
  begin
    select (e.entered).* into v_group from bus_enter_group(p_namespace, p_name) e;
    if v_group.name is null then
      return;
    end if;
    perform bus_open_logs(array[p_namespace]);
    select * into v_log from bus_logs l where l.namespace = p_namespace;
    not_there := false;
    more := false;
    dropped := 0;
    if p_to = 'position' then
      v_seq := p_seq;
      v_nonce := p_nonce;
      not_there := coalesce(bus_gap(v_log, p_epoch, p_seq, p_nonce, (
        select e.nonce from bus_events e where e.namespace = p_namespace and e.seq = p_seq)) = 'log_lost', false);
      if not_there then
        return next;
        return;
      end if;
    elsif p_to = 'earliest' then
      select r.seq, r.nonce into v_seq, v_nonce from bus_resume(v_log, 0, 0, 'log_lost') r;
    else
      v_seq := v_log.head_seq;
      v_nonce := v_log.head_nonce;
    end if;

    if p_most > 0 then
      delete from bus_deliveries d where d.ctid = any(array(
        select d.ctid from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name and d.state in ('in_flight', 'waiting') limit p_most));
      get diagnostics dropped = row_count;
      more := exists (
        select from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name and d.state in ('in_flight', 'waiting'));
      if more then
        return next;
        return;
      end if;
    end if;

    v_replays := bus_replays(v_group.cursor_epoch, v_group.cursor_seq, v_group.replay_epoch, v_group.replay_seq);
    v_from := case when v_replays then v_group.replay_seq else v_group.cursor_seq end;
    was := json_build_object('epoch', v_group.cursor_epoch, 'seq', v_from,
      'nonce', case when v_replays then v_group.replay_nonce else v_group.cursor_nonce end);
    "is" := json_build_object('epoch', v_log.epoch, 'seq', v_seq, 'nonce', v_nonce);
    if v_group.cursor_epoch <> v_log.epoch then
      -- What the group holds is of a log that was lost, and no event of this one.
      v_group.cursor_epoch := v_log.epoch;
      v_group.cursor_seq := 0;
      v_group.cursor_nonce := 0;
      v_from := 0;
    end if;
    if v_seq > v_from then
      v_group.sought := v_group.sought || jsonb_build_array(jsonb_build_object('epoch', v_log.epoch,
        'after', v_from, 'upTo', v_seq, 'at', floor(extract(epoch from clock_timestamp()) * 1000)::bigint));
      while jsonb_array_length(v_group.sought) > p_ranges loop
        v_group.sought := v_group.sought - 0;
      end loop;
    end if;
    v_life := bus_next_life(p_namespace, p_name);
    if v_seq < v_group.cursor_seq then
      update bus_groups g set cursor_epoch = v_group.cursor_epoch, cursor_seq = v_group.cursor_seq,
        cursor_nonce = v_group.cursor_nonce, replay_epoch = v_log.epoch, replay_seq = v_seq, replay_nonce = v_nonce,
        replay_life = v_life, sought = v_group.sought
      where g.namespace = p_namespace and g.name = p_name;
    else
      update bus_groups g set cursor_epoch = v_log.epoch, cursor_seq = v_seq, cursor_nonce = v_nonce, replay_epoch = null,
        sought = v_group.sought
      where g.namespace = p_namespace and g.name = p_name;
    end if;
    state := bus_group_state(v_group);
    return next;
  end $$;

CREATE FUNCTION public.bus_settle(p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[], p_lives bigint[]) RETURNS bigint
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
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
  end $$;

CREATE FUNCTION public.bus_show_signs(p_namespace text, p_name text, p_consumers text[], p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  declare
    v_known bigint;
    v_written bigint;
  begin
    select count(*) into v_known from bus_members m
    where m.namespace = p_namespace and m.group_name = p_name and m.consumer = any(p_consumers)
      and m.missed = 0 and m.sign_at > p_at - interval '1 second';
    if v_known = (select count(distinct c) from unnest(p_consumers) c) then
      return;
    end if;
    insert into bus_members (namespace, group_name, consumer, sign_at, missed)
    select distinct p_namespace, p_name, c, p_at, 0 from unnest(p_consumers) c
    on conflict (namespace, group_name, consumer) do update set sign_at = p_at, missed = 0
    where bus_members.missed > 0 or bus_members.sign_at <= p_at - interval '1 second';
    delete from bus_members m using (
      select o.consumer from bus_members o where o.namespace = p_namespace and o.group_name = p_name
      order by o.sign_at desc offset 1000
    ) old
    where m.namespace = p_namespace and m.group_name = p_name and m.consumer = old.consumer;
  end $$;

CREATE FUNCTION public.bus_steer_group(p_namespace text, p_name text, p_how text, p_with jsonb) RETURNS TABLE(changed boolean, state json)
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  #variable_conflict use_column
  declare
    v_group bus_groups;
    v_before bus_groups;
  begin
    select * into v_group from bus_groups g where g.namespace = p_namespace and g.name = p_name for update;
    if not found then
      return;
    end if;
    v_before := v_group;
    if p_how = 'pause' then
      v_group.paused := coalesce(v_group.paused, p_with || jsonb_build_object(
        'at', floor(extract(epoch from clock_timestamp()) * 1000)::bigint));
    elsif p_how = 'resume' then
      v_group.paused := null;
    else
      v_group.topics := case when p_with ? 'topics'
        then array(select jsonb_array_elements_text(p_with -> 'topics')) else v_group.topics end;
      v_group.ack_deadline_ms := coalesce((p_with ->> 'ackDeadlineMs')::bigint, v_group.ack_deadline_ms);
      v_group.max_deliveries := coalesce((p_with ->> 'maxDeliveries')::integer, v_group.max_deliveries);
      if v_group is distinct from v_before then
        v_group.version := v_group.version + 1;
        v_group.made := coalesce(v_group.made, jsonb_build_object('topics', v_before.topics,
          'ackDeadlineMs', v_before.ack_deadline_ms, 'maxDeliveries', v_before.max_deliveries));
      end if;
    end if;
    changed := v_group is distinct from v_before;
    if changed then
      update bus_groups g set paused = v_group.paused, topics = v_group.topics, ack_deadline_ms = v_group.ack_deadline_ms,
        max_deliveries = v_group.max_deliveries, version = v_group.version, made = v_group.made
      where g.namespace = p_namespace and g.name = p_name;
    end if;
    state := bus_group_state(v_group);
    return next;
  end $$;

CREATE FUNCTION public.bus_sweep(p_namespace text, p_max_events bigint, p_max_bytes bigint) RETURNS boolean
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  declare
    v_swept bigint;
    v_horizon bigint;
    v_up_to bigint;
    v_over bigint;
  begin
    select l.swept_seq, l.horizon_seq into v_swept, v_horizon from bus_logs l where l.namespace = p_namespace;
    if not found or v_swept >= v_horizon then
      return true;
    end if;
    v_up_to := least(v_horizon, v_swept + p_max_events);
    select e.seq into v_over from bus_events e
    where e.namespace = p_namespace and e.seq > v_swept + 1 and e.seq <= v_up_to and e.bytes > p_max_bytes + (
      select o.bytes from bus_events o where o.namespace = p_namespace and o.seq > v_swept order by o.seq limit 1)
    order by e.seq limit 1;
    v_up_to := coalesce(v_over - 1, v_up_to);
    delete from bus_events e where e.namespace = p_namespace and e.seq > v_swept and e.seq <= v_up_to
      and e.spared_after is null;
    update bus_logs l set swept_seq = v_up_to where l.namespace = p_namespace and l.swept_seq < v_up_to;
    return v_up_to >= v_horizon;
  end $$;

CREATE FUNCTION public.commit_writes(p_namespace text, p_writes jsonb, p_changes boolean) RETURNS TABLE(ord integer, revision bigint, at timestamp with time zone)
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    AS $$
  #variable_conflict use_column
  declare
    v_head bigint := 0;
    v_at timestamptz;
    v_row record;
  begin
    if p_changes then
      select n.revision into v_head from namespaces n where n.namespace = p_namespace for update;
      if not found then
        insert into namespaces (namespace) values (p_namespace) on conflict do nothing;
        select n.revision into v_head from namespaces n where n.namespace = p_namespace for update;
      end if;
    end if;
    v_at := date_trunc('milliseconds', clock_timestamp());

    for v_row in
    with writes as materialized (
      select w.*, a.doc as before, a.incarnation as was, a.registered_by as owner,
        case when w.change is not null
          then v_head + row_number() over (partition by w.change is null order by w.ord) end as revision
      from jsonb_to_recordset(p_writes) as w(
        ord integer, name text, id uuid, expected bigint, change text, doc jsonb, spec boolean, seen boolean,
        tripped boolean, memory jsonb, facets text[], words text[], incarnation uuid, tokens jsonb,
        registered_by text, own_only boolean)
      left join lateral (
        select doc, revision, incarnation, registered_by from agents where namespace = p_namespace and name = w.name limit 1
      ) a on true
      where a.revision is not distinct from w.expected
        and (w.own_only is not true or a.registered_by is null or a.registered_by = w.registered_by)
        and (w.tripped is null or w.tripped = exists (
          select from operator_holds h where h.namespace = p_namespace and h.name = w.name and h.hold = 'trip'
        ))
    ),
    stamped as materialized (
      select w.*, w.change in ('deregistered', 'expired') as removes,
        w.doc || (
          jsonb_build_object('revision', w.revision, 'updatedAt', s.at)
          || case when w.spec then jsonb_build_object('specRevision', w.revision) else '{}' end
          || case when w.change = 'registered' then jsonb_build_object('registeredAt', s.at) else '{}' end
          || case when w.doc ? 'leaseMs' then '{}' else jsonb_build_object('leaseMs', w.before -> 'leaseMs') end
          || jsonb_build_object('status', w.doc -> 'status'
            || jsonb_build_object('activitySince', case
              when w.before is null or w.was is distinct from w.incarnation
                or w.before #> '{status,activity}' <> w.doc #> '{status,activity}' then s.at
              else coalesce(w.before #>> '{status,activitySince}', w.before ->> 'updatedAt') end)
            || case when w.doc -> 'status' ? 'note' then '{}'
              when w.was is distinct from w.incarnation then '{"note": null}'
              else jsonb_build_object('note', w.before #> '{status,note}') end)
        ) as after
      from writes w
      cross join (select to_char(v_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at) s
      where w.change is not null
    ),
    logged as (
      insert into changes (namespace, revision, name, change, before, after, at)
      select p_namespace, s.revision, s.name, s.change, s.before, s.after, v_at from stamped s
    ),
    stored as (
      insert into agents as a (
        namespace, name, id, doc, revision, incarnation, last_seen_at, lease_ms, liveness, facets, search,
        registered_by)
      select p_namespace, s.name, s.id, s.after, s.revision, s.incarnation, case when s.seen then v_at end,
        (s.after ->> 'leaseMs')::integer, nullif(s.memory, 'null'::jsonb), s.facets, array_to_tsvector(s.words), s.registered_by
      from stamped s where not s.removes
      order by s.name collate "C"
      on conflict (namespace, name) do update set
        id = excluded.id, doc = excluded.doc, revision = excluded.revision, incarnation = excluded.incarnation,
        last_seen_at = greatest(a.last_seen_at, excluded.last_seen_at), lease_ms = excluded.lease_ms,
        liveness = coalesce(excluded.liveness, a.liveness),
        facets = excluded.facets, search = excluded.search,
        registered_by = coalesce(a.registered_by, excluded.registered_by)
    ),
    seen as (
      insert into incarnations (namespace, name, incarnation, seen_at)
      select p_namespace, s.name, s.incarnation, v_at
      from stamped s where s.incarnation is not null
      on conflict (namespace, name, incarnation) do update set
        seen_at = excluded.seen_at, superseded_at = null
    ),
    issued as (
      insert into tokens (hash, id, kind, namespace, name, agent_id, incarnation, created_at)
      select decode(t.hash, 'hex'), t.id, 'agent', p_namespace, w.name, w.id, w.incarnation, v_at
      from writes w cross join lateral jsonb_to_recordset(w.tokens) as t(hash text, id uuid)
    ),
    advanced as (
      update namespaces n set revision = v_head + c.count
      from (select count(*) as count from stamped) c
      where p_changes and n.namespace = p_namespace and c.count > 0
    )
    select w.ord, w.revision, w.name, w.change, w.was, w.incarnation, w.registered_by, w.owner from writes w
    order by w.name collate "C"
    loop
      if v_row.change in ('deregistered', 'expired') then
        delete from agents where namespace = p_namespace and name = v_row.name;
        delete from tokens
        where kind = 'agent' and namespace = p_namespace and name = v_row.name and fenced_at is null;
        insert into removed_names as r (namespace, name, removed_at) values (p_namespace, v_row.name, v_at)
        on conflict (namespace, name) do update set removed_at = excluded.removed_at;
      elsif v_row.change = 'registered' then
        delete from removed_names where namespace = p_namespace and name = v_row.name;
        update incarnations set superseded_at = v_at
        where namespace = p_namespace and name = v_row.name
          and incarnation is distinct from v_row.incarnation and superseded_at is null;
        if found then perform forget_oldest_processes(p_namespace, v_row.name); end if;
      elsif v_row.change is not null and v_row.incarnation is distinct from v_row.was then
        update incarnations set superseded_at = v_at
        where namespace = p_namespace and name = v_row.name
          and incarnation <> v_row.incarnation and superseded_at is null;
        update tokens set fenced_at = v_at
        where kind = 'agent' and namespace = p_namespace and name = v_row.name and fenced_at is null
          and incarnation is distinct from v_row.incarnation;
        perform forget_oldest_processes(p_namespace, v_row.name);
      elsif v_row.change is null and v_row.owner is null and v_row.registered_by is not null then
        update agents set registered_by = v_row.registered_by
        where namespace = p_namespace and name = v_row.name and registered_by is null;
      end if;
      ord := v_row.ord;
      revision := v_row.revision;
      at := v_at;
      return next;
    end loop;
  end $$;

CREATE FUNCTION public.forget_oldest_processes(p_namespace text, p_name text) RETURNS void
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    AS $$
  declare
    v_oldest timestamptz;
  begin
    select superseded_at into v_oldest from incarnations
    where namespace = p_namespace and name = p_name and superseded_at is not null
    order by superseded_at desc offset 999 limit 1;
    if found then
      delete from incarnations where namespace = p_namespace and name = p_name and superseded_at < v_oldest;
    end if;
    select fenced_at into v_oldest from tokens
    where kind = 'agent' and namespace = p_namespace and name = p_name and fenced_at is not null
    order by fenced_at desc offset 999 limit 1;
    if found then
      delete from tokens where kind = 'agent' and namespace = p_namespace and name = p_name and fenced_at < v_oldest;
    end if;
  end $$;

CREATE FUNCTION public.note_circuit() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
  begin
    insert into circuit_news (namespace, revision, agent_id, name, role, circuit, reason, at, due_at)
    values (new.namespace, new.revision, (new.after ->> 'id')::uuid, new.name, new.after ->> 'role',
      new.after #>> '{status,circuit}', new.after #>> '{status,reason}', new.at, now());
    return null;
  end $$;

CREATE TABLE public.agents (
    namespace text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    id uuid NOT NULL,
    doc jsonb NOT NULL,
    revision bigint NOT NULL,
    incarnation uuid,
    last_seen_at timestamp with time zone,
    facets text[] NOT NULL COLLATE pg_catalog."C",
    search tsvector NOT NULL,
    liveness jsonb,
    probe_at timestamp with time zone,
    streaming_at timestamp with time zone,
    registered_by text,
    lease_ms integer
)
WITH (fillfactor='85', toast_tuple_target='4080');

CREATE TABLE public.audit_entries (
    namespace text NOT NULL COLLATE pg_catalog."C",
    seq bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    before jsonb,
    after jsonb,
    reason text,
    outcome text NOT NULL,
    request_id text NOT NULL,
    begun bigint,
    previous bytea NOT NULL,
    hash bytea NOT NULL
);

CREATE TABLE public.audit_heads (
    namespace text NOT NULL COLLATE pg_catalog."C",
    seq bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    hash bytea NOT NULL
);

CREATE TABLE public.bus_dedup (
    namespace text NOT NULL COLLATE pg_catalog."C",
    source text NOT NULL COLLATE pg_catalog."C",
    id uuid NOT NULL,
    seq bigint NOT NULL,
    nonce integer NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.bus_deleted_groups (
    namespace text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.bus_events (
    namespace text NOT NULL COLLATE pg_catalog."C",
    seq bigint NOT NULL,
    nonce integer NOT NULL,
    bytes bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    topic text NOT NULL COLLATE pg_catalog."C",
    text text NOT NULL,
    spared_after integer
);

CREATE TABLE public.bus_flows (
    namespace text NOT NULL COLLATE pg_catalog."C",
    source text NOT NULL COLLATE pg_catalog."C",
    events double precision NOT NULL,
    bytes double precision NOT NULL,
    at_seq bigint NOT NULL,
    at_bytes bigint NOT NULL
)
WITH (fillfactor='70');

CREATE TABLE public.bus_members (
    namespace text NOT NULL COLLATE pg_catalog."C",
    group_name text NOT NULL COLLATE pg_catalog."C",
    consumer text NOT NULL COLLATE pg_catalog."C",
    sign_at timestamp with time zone NOT NULL,
    missed bigint NOT NULL
)
WITH (fillfactor='70');

CREATE TABLE public.bus_topics (
    namespace text NOT NULL COLLATE pg_catalog."C",
    topic text NOT NULL COLLATE pg_catalog."C",
    count bigint NOT NULL,
    minute bigint NOT NULL,
    in_minute bigint NOT NULL,
    in_minute_before bigint DEFAULT 0 NOT NULL,
    last_seq bigint NOT NULL,
    last_nonce integer NOT NULL
)
WITH (fillfactor='70');

CREATE TABLE public.changes (
    namespace text NOT NULL COLLATE pg_catalog."C",
    revision bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    change text NOT NULL,
    before jsonb,
    after jsonb NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.circuit_news (
    namespace text NOT NULL COLLATE pg_catalog."C",
    revision bigint NOT NULL,
    agent_id uuid NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    circuit text NOT NULL,
    reason text,
    at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL
);

CREATE TABLE public.duties (
    duty text NOT NULL,
    holder uuid NOT NULL,
    until timestamp with time zone NOT NULL,
    knows_leases uuid
);

CREATE TABLE public.ended_token_names (
    namespace text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    kind text NOT NULL,
    ended_at timestamp with time zone NOT NULL
);

CREATE TABLE public.incarnations (
    namespace text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    incarnation uuid NOT NULL,
    superseded_at timestamp with time zone,
    seen_at timestamp with time zone NOT NULL
);

CREATE TABLE public.namespaces (
    namespace text NOT NULL COLLATE pg_catalog."C",
    revision bigint DEFAULT 0 NOT NULL,
    horizon bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.operator_holds (
    namespace text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    hold text NOT NULL,
    reason text,
    agent jsonb NOT NULL,
    held_at timestamp with time zone NOT NULL
);

CREATE TABLE public.policies (
    namespace text NOT NULL,
    version bigint NOT NULL,
    rules jsonb NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.policy_versions (
    namespace text NOT NULL,
    version bigint NOT NULL,
    rules jsonb NOT NULL,
    put_by text,
    put_at timestamp with time zone NOT NULL
);

CREATE TABLE public.removed_names (
    namespace text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    removed_at timestamp with time zone NOT NULL
);

CREATE TABLE public.replicas (
    id uuid NOT NULL,
    version text NOT NULL,
    host text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    streams jsonb NOT NULL,
    rss_bytes bigint NOT NULL,
    event_loop_p99_ms double precision NOT NULL,
    suspended text[] NOT NULL
);

CREATE TABLE public.statistics (
    namespace text NOT NULL COLLATE pg_catalog."C",
    bucket bigint NOT NULL,
    replica uuid NOT NULL,
    published bigint NOT NULL,
    delivered bigint NOT NULL,
    acked bigint NOT NULL,
    redelivered bigint NOT NULL,
    dead bigint NOT NULL,
    refused bigint NOT NULL,
    publish_p99_ms double precision
);

CREATE TABLE public.store_record (
    only_row boolean DEFAULT true NOT NULL,
    swarm_id uuid DEFAULT gen_random_uuid() NOT NULL,
    written_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT store_record_only_row_check CHECK (only_row)
);

CREATE TABLE public.swarm_functions (
    component text NOT NULL,
    release integer NOT NULL,
    digest text NOT NULL
);

CREATE TABLE public.swarm_migrations (
    name character varying(255) NOT NULL,
    "timestamp" character varying(255) NOT NULL
);

CREATE TABLE public.swarm_migrations_lock (
    id character varying(255) NOT NULL,
    is_locked integer DEFAULT 0 NOT NULL
);

CREATE TABLE public.token_epoch (
    id boolean DEFAULT true NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL,
    CONSTRAINT token_epoch_id_check CHECK (id)
);

CREATE TABLE public.tokens (
    hash bytea NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    namespace text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    roles jsonb,
    agent_id uuid,
    incarnation uuid,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    max_uses integer,
    uses integer DEFAULT 0 NOT NULL,
    fenced_at timestamp with time zone,
    names jsonb,
    last_used_at timestamp with time zone
);

CREATE TABLE public.traffic (
    namespace text NOT NULL COLLATE pg_catalog."C",
    bucket bigint NOT NULL,
    replica uuid NOT NULL,
    edges jsonb NOT NULL,
    other bigint NOT NULL
);

INSERT INTO public.agents VALUES ('on-redis', 'bob', '01a22355-8973-7634-a5ba-7af0ef06c821', '{"id": "01a22355-8973-7634-a5ba-7af0ef06c821", "name": "bob", "role": "qa", "labels": {}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "activitySince": "2026-11-28T18:05:38.059Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.0.0", "revision": 3, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T18:05:38.059Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T18:05:38.059Z", "specRevision": 3}', 3, NULL, '2026-11-28 18:05:38.059+00', '{on-redis/role:qa,on-redis/health:unknown,on-redis/circuit:closed}', '''bob'' ''qa''', NULL, NULL, NULL, 'static:admin', NULL);
INSERT INTO public.agents VALUES ('on-redis', 'ada', '01a22355-884c-73d8-9989-06cd95137d1d', '{"id": "01a22355-884c-73d8-9989-06cd95137d1d", "name": "ada", "role": "coder", "labels": {"team": "core"}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": "2026-11-28T18:05:37.794Z", "activitySince": "2026-11-28T18:05:37.794Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.1.0", "revision": 2, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T18:05:37.992Z", "description": null, "incarnation": "00000000-0000-4000-8000-000000000001", "capabilities": [{"id": "write"}], "registeredAt": "2026-11-28T18:05:37.794Z", "specRevision": 2}', 2, '00000000-0000-4000-8000-000000000001', '2026-11-28 18:05:38.489+00', '{on-redis/role:coder,on-redis/health:unknown,on-redis/circuit:closed,on-redis/capability:write,on-redis/label:team=core}', '''ada'' ''coder'' ''core'' ''team'' ''write''', NULL, NULL, NULL, 'static:admin', NULL);
INSERT INTO public.agents VALUES ('on-postgres', 'ada', '01a22355-b220-7796-97b7-5cd84437be7c', '{"id": "01a22355-b220-7796-97b7-5cd84437be7c", "name": "ada", "role": "coder", "labels": {"team": "core"}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": "2026-11-28T18:05:48.530Z", "activitySince": "2026-11-28T18:05:48.530Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.1.0", "revision": 2, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T18:05:48.693Z", "description": null, "incarnation": "00000000-0000-4000-8000-000000000001", "capabilities": [{"id": "write"}], "registeredAt": "2026-11-28T18:05:48.530Z", "specRevision": 2}', 2, '00000000-0000-4000-8000-000000000001', '2026-11-28 18:05:49.267+00', '{on-postgres/role:coder,on-postgres/health:unknown,on-postgres/circuit:closed,on-postgres/capability:write,on-postgres/label:team=core}', '''ada'' ''coder'' ''core'' ''team'' ''write''', NULL, NULL, NULL, 'static:admin', NULL);
INSERT INTO public.agents VALUES ('on-postgres', 'bob', '01a22355-b342-77b3-933b-f2a26e39fbfd', '{"id": "01a22355-b342-77b3-933b-f2a26e39fbfd", "name": "bob", "role": "qa", "labels": {}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "activitySince": "2026-11-28T18:05:48.744Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.0.0", "revision": 3, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T18:05:48.744Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T18:05:48.744Z", "specRevision": 3}', 3, NULL, '2026-11-28 18:05:48.744+00', '{on-postgres/role:qa,on-postgres/health:unknown,on-postgres/circuit:closed}', '''bob'' ''qa''', NULL, NULL, NULL, 'static:admin', NULL);

INSERT INTO public.audit_entries VALUES ('on-redis', 1, '2026-11-28 18:05:37.971+00', '/operators/admin', 'registry.update', 'agents/ada', '{"labels": {"team": "core"}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "healthUrl": null, "description": null, "capabilities": [{"id": "write"}], "specRevision": 1}', NULL, NULL, 'begun', 'b4a6c2e1-d27d-44bf-81ce-8e3ddfad90e6', NULL, '\x0000000000000000000000000000000000000000000000000000000000000000', '\xfb6f9399ce8be93950373acea0619b6f722e3084b6a1c253f3036b25731dc14e');
INSERT INTO public.audit_entries VALUES ('on-redis', 2, '2026-11-28 18:05:38.026+00', '/operators/admin', 'registry.update', 'agents/ada', '{"labels": {"team": "core"}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "healthUrl": null, "description": null, "capabilities": [{"id": "write"}], "specRevision": 1}', '{"labels": {"team": "core"}, "topics": {"publishes": [], "subscribes": []}, "version": "1.1.0", "healthUrl": null, "description": null, "capabilities": [{"id": "write"}], "specRevision": 2}', NULL, 'done', 'b4a6c2e1-d27d-44bf-81ce-8e3ddfad90e6', 1, '\xfb6f9399ce8be93950373acea0619b6f722e3084b6a1c253f3036b25731dc14e', '\x99a043150311299a7af48f951dbb20a3f38068da6e01f5c002a94dc45a03bb7b');
INSERT INTO public.audit_entries VALUES ('on-redis', 3, '2026-11-28 18:05:38.157+00', '/operators/admin', 'registry.deregister', 'agents/gone', '{"id": "01a22355-89bc-7446-85b2-79245f24234c", "name": "gone", "role": "qa", "labels": {}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": "2026-11-28T18:05:38.115Z", "activitySince": "2026-11-28T18:05:38.115Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": 30000, "version": "1.0.0", "revision": 4, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T18:05:38.115Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T18:05:38.115Z", "specRevision": 4}', NULL, NULL, 'begun', '645ac0f5-85a2-4b16-9850-fc8aa5db73ac', NULL, '\x99a043150311299a7af48f951dbb20a3f38068da6e01f5c002a94dc45a03bb7b', '\x7b5a6d7c6c75cc99084df33aec20f35e96de49ba7b55b15dfe4e9f817a7d5452');
INSERT INTO public.audit_entries VALUES ('on-redis', 4, '2026-11-28 18:05:38.227+00', '/operators/admin', 'registry.deregister', 'agents/gone', '{"id": "01a22355-89bc-7446-85b2-79245f24234c", "name": "gone", "role": "qa", "labels": {}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": "2026-11-28T18:05:38.115Z", "activitySince": "2026-11-28T18:05:38.115Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": 30000, "version": "1.0.0", "revision": 4, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T18:05:38.115Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T18:05:38.115Z", "specRevision": 4}', NULL, NULL, 'done', '645ac0f5-85a2-4b16-9850-fc8aa5db73ac', 3, '\x7b5a6d7c6c75cc99084df33aec20f35e96de49ba7b55b15dfe4e9f817a7d5452', '\x09f814db0ff058dcb49bbf5fd1554309a0a6cd5bc80341251bc9ef1f09c2aca4');
INSERT INTO public.audit_entries VALUES ('on-redis', 5, '2026-11-28 18:05:38.247+00', '/operators/admin', 'tokens.create', 'tokens/ci', NULL, NULL, NULL, 'begun', '693f0e4a-9e2d-4a50-94f8-b4201df9f99b', NULL, '\x09f814db0ff058dcb49bbf5fd1554309a0a6cd5bc80341251bc9ef1f09c2aca4', '\x8dd611a4d0b8051e1bd949a2a075afaa313182f0b7aa0b7551fe2ad43b6306e4');
INSERT INTO public.audit_entries VALUES ('on-redis', 6, '2026-11-28 18:05:38.259+00', '/operators/admin', 'tokens.create', 'tokens/ci', NULL, '{"id": "01a22355-8a48-705d-9e0c-77aabb8c78ad", "kind": "join", "name": "ci", "roles": ["coder"]}', NULL, 'done', '693f0e4a-9e2d-4a50-94f8-b4201df9f99b', 5, '\x8dd611a4d0b8051e1bd949a2a075afaa313182f0b7aa0b7551fe2ad43b6306e4', '\x706855daa10cc39c32daf32cf6dc463c837f646315be3aa52d2070ac4a8216e0');
INSERT INTO public.audit_entries VALUES ('on-redis', 7, '2026-11-28 18:05:38.299+00', '/operators/admin', 'policy.put', 'policy', '{"roles": {"qa": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "test.>", "review.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "test.>", "review.>", "code.>", "build.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "coder": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "code.>", "build.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "code.>", "build.>", "review.>", "test.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "worker": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "observer": {"consume": [], "publish": [], "subscribe": [">"]}, "architect": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["goal.>", "plan.>", "task.*.assigned", "task.*.cancelled", "task.*.rejected", "task.*.stalled", "architect.{name}.>", "agent.*.inbox.>"], "subscribe": ["goal.>", "plan.>", "task.>", "architect.>", "system.>", "agent.{name}.inbox.>"]}}, "default": {"consume": [], "publish": [], "subscribe": ["agent.{name}.inbox.>"]}, "version": 0}', NULL, NULL, 'begun', '531606ed-64d0-4642-b193-f95cfda2f1da', NULL, '\x706855daa10cc39c32daf32cf6dc463c837f646315be3aa52d2070ac4a8216e0', '\x5501eb935ea8fc758e99d86bf12c13858e4977d102d20836840f890da3019091');
INSERT INTO public.audit_entries VALUES ('on-redis', 8, '2026-11-28 18:05:38.388+00', '/operators/admin', 'policy.put', 'policy', '{"roles": {"qa": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "test.>", "review.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "test.>", "review.>", "code.>", "build.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "coder": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "code.>", "build.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "code.>", "build.>", "review.>", "test.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "worker": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "observer": {"consume": [], "publish": [], "subscribe": [">"]}, "architect": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["goal.>", "plan.>", "task.*.assigned", "task.*.cancelled", "task.*.rejected", "task.*.stalled", "architect.{name}.>", "agent.*.inbox.>"], "subscribe": ["goal.>", "plan.>", "task.>", "architect.>", "system.>", "agent.{name}.inbox.>"]}}, "default": {"consume": [], "publish": [], "subscribe": ["agent.{name}.inbox.>"]}, "version": 0}', '{"roles": {"qa": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "test.>", "review.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "test.>", "review.>", "code.>", "build.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "coder": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "code.>", "build.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "code.>", "build.>", "review.>", "test.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "worker": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "observer": {"consume": [], "publish": [], "subscribe": [">"]}, "architect": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["goal.>", "plan.>", "task.*.assigned", "task.*.cancelled", "task.*.rejected", "task.*.stalled", "architect.{name}.>", "agent.*.inbox.>"], "subscribe": ["goal.>", "plan.>", "task.>", "architect.>", "system.>", "agent.{name}.inbox.>"]}}, "default": {"consume": [], "publish": [], "subscribe": ["agent.{name}.inbox.>"]}, "version": 1}', NULL, 'done', '531606ed-64d0-4642-b193-f95cfda2f1da', 7, '\x5501eb935ea8fc758e99d86bf12c13858e4977d102d20836840f890da3019091', '\x9c40f8ed5067aec09f59a245955ba6af5cf8178f5425b3b82872e14e49647b46');
INSERT INTO public.audit_entries VALUES ('on-redis', 9, '2026-11-28 18:05:39.329+00', '/operators/admin', 'groups.seek', 'groups/movers', '{"to": {"after": "u7ryg9d87-4-wqlaii"}, "dropOpen": false}', NULL, NULL, 'begun', 'b0cf703b-b7a6-4445-8a36-b8d095eda189', NULL, '\x9c40f8ed5067aec09f59a245955ba6af5cf8178f5425b3b82872e14e49647b46', '\xb257f91b0a65ff250f5a02745b503e81cfd9b9209a0865b846afdcb3104622cd');
INSERT INTO public.audit_entries VALUES ('on-redis', 10, '2026-11-28 18:05:39.419+00', '/operators/admin', 'groups.seek', 'groups/movers', '{"to": {"after": "u7ryg9d87-4-wqlaii"}, "dropOpen": false}', '{"before": "u7ryg9d87-7-wqlaii", "dropped": 0, "groupId": "0d2ece15-62d0-42d9-9e09-6b0c7f06b48f", "position": "u7ryg9d87-4-wqlaii"}', NULL, 'done', 'b0cf703b-b7a6-4445-8a36-b8d095eda189', 9, '\xb257f91b0a65ff250f5a02745b503e81cfd9b9209a0865b846afdcb3104622cd', '\x3b684d2f880df329fda37a136dd803f44bbf6e20335f1e50c09f81b9ea8e9111');
INSERT INTO public.audit_entries VALUES ('on-redis', 11, '2026-11-28 18:05:39.486+00', '/operators/admin', 'groups.pause', 'groups/movers', '{"paused": null, "groupId": "0d2ece15-62d0-42d9-9e09-6b0c7f06b48f", "settings": {"topics": ["build.*"], "version": 1, "ackDeadlineMs": 3600000, "maxDeliveries": 2}}', NULL, 'a deployment', 'begun', 'ec575d75-9884-4663-8a9e-d7bd4811933f', NULL, '\x3b684d2f880df329fda37a136dd803f44bbf6e20335f1e50c09f81b9ea8e9111', '\x74bd44756023958af6f318f606a43e37056cb9e61c2fad716d1e3840532d8288');
INSERT INTO public.audit_entries VALUES ('on-redis', 12, '2026-11-28 18:05:39.513+00', '/operators/admin', 'groups.pause', 'groups/movers', '{"paused": null, "groupId": "0d2ece15-62d0-42d9-9e09-6b0c7f06b48f", "settings": {"topics": ["build.*"], "version": 1, "ackDeadlineMs": 3600000, "maxDeliveries": 2}}', '{"paused": {"at": "2026-11-28T18:05:39.497Z", "by": "/operators/admin", "reason": "a deployment"}, "groupId": "0d2ece15-62d0-42d9-9e09-6b0c7f06b48f", "settings": {"topics": ["build.*"], "version": 1, "ackDeadlineMs": 3600000, "maxDeliveries": 2}}', 'a deployment', 'done', 'ec575d75-9884-4663-8a9e-d7bd4811933f', 11, '\x74bd44756023958af6f318f606a43e37056cb9e61c2fad716d1e3840532d8288', '\xbcd93d2814847119297b897247eb109e277f6ba7b820732099463e9a7d7307a2');
INSERT INTO public.audit_entries VALUES ('on-redis', 13, '2026-11-28 18:05:39.569+00', '/operators/admin', 'groups.update', 'groups/movers', '{"paused": {"at": "2026-11-28T18:05:39.497Z", "by": "/operators/admin", "reason": "a deployment"}, "groupId": "0d2ece15-62d0-42d9-9e09-6b0c7f06b48f", "settings": {"topics": ["build.*"], "version": 1, "ackDeadlineMs": 3600000, "maxDeliveries": 2}}', NULL, NULL, 'begun', 'd68c34a1-e0e2-4bfa-8561-5cdbff972463', NULL, '\xbcd93d2814847119297b897247eb109e277f6ba7b820732099463e9a7d7307a2', '\x1f2dcb1c27d4d302fb8d813559fcdcf9ccd36d06e81938e5a273b741b1e7248c');
INSERT INTO public.audit_entries VALUES ('on-redis', 14, '2026-11-28 18:05:39.579+00', '/operators/admin', 'groups.update', 'groups/movers', '{"paused": {"at": "2026-11-28T18:05:39.497Z", "by": "/operators/admin", "reason": "a deployment"}, "groupId": "0d2ece15-62d0-42d9-9e09-6b0c7f06b48f", "settings": {"topics": ["build.*"], "version": 1, "ackDeadlineMs": 3600000, "maxDeliveries": 2}}', '{"paused": {"at": "2026-11-28T18:05:39.497Z", "by": "/operators/admin", "reason": "a deployment"}, "groupId": "0d2ece15-62d0-42d9-9e09-6b0c7f06b48f", "settings": {"topics": ["build.*"], "version": 2, "ackDeadlineMs": 3600000, "maxDeliveries": 7}}', NULL, 'done', 'd68c34a1-e0e2-4bfa-8561-5cdbff972463', 13, '\x1f2dcb1c27d4d302fb8d813559fcdcf9ccd36d06e81938e5a273b741b1e7248c', '\xdbaaf9c446d73dd93c6e5e26605dd1ca483b9b7ee080ffd037664279773a6385');
INSERT INTO public.audit_entries VALUES ('on-postgres', 1, '2026-11-28 18:05:48.671+00', '/operators/admin', 'registry.update', 'agents/ada', '{"labels": {"team": "core"}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "healthUrl": null, "description": null, "capabilities": [{"id": "write"}], "specRevision": 1}', NULL, NULL, 'begun', 'a7aa9312-94fe-485a-bc1b-f2bff4703618', NULL, '\x0000000000000000000000000000000000000000000000000000000000000000', '\x58b8d42fd90e19a1d256282d351548e6e35a6009978182cc15e94af37e8ca4cf');
INSERT INTO public.audit_entries VALUES ('on-postgres', 2, '2026-11-28 18:05:48.723+00', '/operators/admin', 'registry.update', 'agents/ada', '{"labels": {"team": "core"}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "healthUrl": null, "description": null, "capabilities": [{"id": "write"}], "specRevision": 1}', '{"labels": {"team": "core"}, "topics": {"publishes": [], "subscribes": []}, "version": "1.1.0", "healthUrl": null, "description": null, "capabilities": [{"id": "write"}], "specRevision": 2}', NULL, 'done', 'a7aa9312-94fe-485a-bc1b-f2bff4703618', 1, '\x58b8d42fd90e19a1d256282d351548e6e35a6009978182cc15e94af37e8ca4cf', '\x46a1adce8b664a474e5aa5b25d36852d0be5eabf423427eff35af827cb40f919');
INSERT INTO public.audit_entries VALUES ('on-postgres', 3, '2026-11-28 18:05:48.865+00', '/operators/admin', 'registry.deregister', 'agents/gone', '{"id": "01a22355-b365-71ea-bcb4-ecd6d1e8bf1f", "name": "gone", "role": "qa", "labels": {}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": "2026-11-28T18:05:48.798Z", "activitySince": "2026-11-28T18:05:48.798Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": 30000, "version": "1.0.0", "revision": 4, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T18:05:48.798Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T18:05:48.798Z", "specRevision": 4}', NULL, NULL, 'begun', '03c240e0-78b8-46fa-9ef2-fc438f9aa2fd', NULL, '\x46a1adce8b664a474e5aa5b25d36852d0be5eabf423427eff35af827cb40f919', '\x97fdc0cf0c12e800029eef9247c16bae91cf9ece2df718d29b640a3fdd6c0ce6');
INSERT INTO public.audit_entries VALUES ('on-postgres', 4, '2026-11-28 18:05:48.899+00', '/operators/admin', 'registry.deregister', 'agents/gone', '{"id": "01a22355-b365-71ea-bcb4-ecd6d1e8bf1f", "name": "gone", "role": "qa", "labels": {}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": "2026-11-28T18:05:48.798Z", "activitySince": "2026-11-28T18:05:48.798Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": 30000, "version": "1.0.0", "revision": 4, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T18:05:48.798Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T18:05:48.798Z", "specRevision": 4}', NULL, NULL, 'done', '03c240e0-78b8-46fa-9ef2-fc438f9aa2fd', 3, '\x97fdc0cf0c12e800029eef9247c16bae91cf9ece2df718d29b640a3fdd6c0ce6', '\xbd269ebda7b03252260aea736f8652ead63a1aa89677a14446d5a6aee5ad21a3');
INSERT INTO public.audit_entries VALUES ('on-postgres', 5, '2026-11-28 18:05:48.953+00', '/operators/admin', 'tokens.create', 'tokens/ci', NULL, NULL, NULL, 'begun', '04811d4a-8257-4081-85f8-9d3099b87118', NULL, '\xbd269ebda7b03252260aea736f8652ead63a1aa89677a14446d5a6aee5ad21a3', '\xa475b775213ccf5e83e38a7efd656e16829f0030bedd903198c3c1c1688ac40a');
INSERT INTO public.audit_entries VALUES ('on-postgres', 6, '2026-11-28 18:05:49.066+00', '/operators/admin', 'tokens.create', 'tokens/ci', NULL, '{"id": "01a22355-b424-737e-8ae6-9aee6dc6df83", "kind": "join", "name": "ci", "roles": ["coder"]}', NULL, 'done', '04811d4a-8257-4081-85f8-9d3099b87118', 5, '\xa475b775213ccf5e83e38a7efd656e16829f0030bedd903198c3c1c1688ac40a', '\x9fe00fd51eddc8c1a07e607db0548db9f334f96e7e71bd57339bd0635c0b87fa');
INSERT INTO public.audit_entries VALUES ('on-postgres', 7, '2026-11-28 18:05:49.111+00', '/operators/admin', 'policy.put', 'policy', '{"roles": {"qa": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "test.>", "review.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "test.>", "review.>", "code.>", "build.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "coder": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "code.>", "build.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "code.>", "build.>", "review.>", "test.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "worker": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "observer": {"consume": [], "publish": [], "subscribe": [">"]}, "architect": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["goal.>", "plan.>", "task.*.assigned", "task.*.cancelled", "task.*.rejected", "task.*.stalled", "architect.{name}.>", "agent.*.inbox.>"], "subscribe": ["goal.>", "plan.>", "task.>", "architect.>", "system.>", "agent.{name}.inbox.>"]}}, "default": {"consume": [], "publish": [], "subscribe": ["agent.{name}.inbox.>"]}, "version": 0}', NULL, NULL, 'begun', '97a746a8-8e47-4d99-84d7-91d3d3a2add2', NULL, '\x9fe00fd51eddc8c1a07e607db0548db9f334f96e7e71bd57339bd0635c0b87fa', '\x549c5024c851c9c1e0b3e28ed53a891840fc85dfa07197494a607850b6264f82');
INSERT INTO public.audit_entries VALUES ('on-postgres', 8, '2026-11-28 18:05:49.177+00', '/operators/admin', 'policy.put', 'policy', '{"roles": {"qa": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "test.>", "review.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "test.>", "review.>", "code.>", "build.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "coder": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "code.>", "build.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "code.>", "build.>", "review.>", "test.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "worker": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "observer": {"consume": [], "publish": [], "subscribe": [">"]}, "architect": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["goal.>", "plan.>", "task.*.assigned", "task.*.cancelled", "task.*.rejected", "task.*.stalled", "architect.{name}.>", "agent.*.inbox.>"], "subscribe": ["goal.>", "plan.>", "task.>", "architect.>", "system.>", "agent.{name}.inbox.>"]}}, "default": {"consume": [], "publish": [], "subscribe": ["agent.{name}.inbox.>"]}, "version": 0}', '{"roles": {"qa": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "test.>", "review.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "test.>", "review.>", "code.>", "build.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "coder": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "code.>", "build.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "code.>", "build.>", "review.>", "test.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "worker": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "observer": {"consume": [], "publish": [], "subscribe": [">"]}, "architect": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["goal.>", "plan.>", "task.*.assigned", "task.*.cancelled", "task.*.rejected", "task.*.stalled", "architect.{name}.>", "agent.*.inbox.>"], "subscribe": ["goal.>", "plan.>", "task.>", "architect.>", "system.>", "agent.{name}.inbox.>"]}}, "default": {"consume": [], "publish": [], "subscribe": ["agent.{name}.inbox.>"]}, "version": 1}', NULL, 'done', '97a746a8-8e47-4d99-84d7-91d3d3a2add2', 7, '\x549c5024c851c9c1e0b3e28ed53a891840fc85dfa07197494a607850b6264f82', '\x58f0953cd0d98cfdf67e061db3bd757d0f10fb10d48499a2bf27157fb44dac09');
INSERT INTO public.audit_entries VALUES ('on-postgres', 9, '2026-11-28 18:05:49.929+00', '/operators/admin', 'groups.seek', 'groups/movers', '{"to": {"after": "e231a713992d-4-gntp3y"}, "dropOpen": false}', NULL, NULL, 'begun', 'c8128480-7b8f-46f4-8e97-b123ce6b04ff', NULL, '\x58f0953cd0d98cfdf67e061db3bd757d0f10fb10d48499a2bf27157fb44dac09', '\xa6b57bb28d9ad3a95e89002bdaa8085b3f9487e777926b4880625f1c5fea4ee1');
INSERT INTO public.audit_entries VALUES ('on-postgres', 10, '2026-11-28 18:05:49.986+00', '/operators/admin', 'groups.seek', 'groups/movers', '{"to": {"after": "e231a713992d-4-gntp3y"}, "dropOpen": false}', '{"before": "e231a713992d-7-gntp3y", "dropped": 0, "groupId": "194a5e9f-4c03-4300-911a-1eb7f6f4196f", "position": "e231a713992d-4-gntp3y"}', NULL, 'done', 'c8128480-7b8f-46f4-8e97-b123ce6b04ff', 9, '\xa6b57bb28d9ad3a95e89002bdaa8085b3f9487e777926b4880625f1c5fea4ee1', '\xfbe4858ad8fed609f6094a6f63b511d84fbe3afb34dc2364b0c65180177be053');
INSERT INTO public.audit_entries VALUES ('on-postgres', 11, '2026-11-28 18:05:50.027+00', '/operators/admin', 'groups.pause', 'groups/movers', '{"paused": null, "groupId": "194a5e9f-4c03-4300-911a-1eb7f6f4196f", "settings": {"topics": ["build.*"], "version": 1, "ackDeadlineMs": 3600000, "maxDeliveries": 2}}', NULL, 'a deployment', 'begun', '74d149c5-3c81-4aac-8fda-9e6a61b8cbaa', NULL, '\xfbe4858ad8fed609f6094a6f63b511d84fbe3afb34dc2364b0c65180177be053', '\x384b101404dd3a44bbf7e7d1b3df65609cefde7fef02b16fe743b5434eced7fb');
INSERT INTO public.audit_entries VALUES ('on-postgres', 12, '2026-11-28 18:05:50.046+00', '/operators/admin', 'groups.pause', 'groups/movers', '{"paused": null, "groupId": "194a5e9f-4c03-4300-911a-1eb7f6f4196f", "settings": {"topics": ["build.*"], "version": 1, "ackDeadlineMs": 3600000, "maxDeliveries": 2}}', '{"paused": {"at": "2026-11-28T18:05:50.029Z", "by": "/operators/admin", "reason": "a deployment"}, "groupId": "194a5e9f-4c03-4300-911a-1eb7f6f4196f", "settings": {"topics": ["build.*"], "version": 1, "ackDeadlineMs": 3600000, "maxDeliveries": 2}}', 'a deployment', 'done', '74d149c5-3c81-4aac-8fda-9e6a61b8cbaa', 11, '\x384b101404dd3a44bbf7e7d1b3df65609cefde7fef02b16fe743b5434eced7fb', '\x465817ad28e99f3c90562df91144be059edf99f4ecc81778310f502bba7528d8');
INSERT INTO public.audit_entries VALUES ('on-postgres', 13, '2026-11-28 18:05:50.09+00', '/operators/admin', 'groups.update', 'groups/movers', '{"paused": {"at": "2026-11-28T18:05:50.029Z", "by": "/operators/admin", "reason": "a deployment"}, "groupId": "194a5e9f-4c03-4300-911a-1eb7f6f4196f", "settings": {"topics": ["build.*"], "version": 1, "ackDeadlineMs": 3600000, "maxDeliveries": 2}}', NULL, NULL, 'begun', 'ee82a518-36b3-46b1-a5f2-15fb17f04269', NULL, '\x465817ad28e99f3c90562df91144be059edf99f4ecc81778310f502bba7528d8', '\x6fc2ae193fc00161c7dd5e7e778e0319e5b60e5884b2ee58285cb67c8db54846');
INSERT INTO public.audit_entries VALUES ('on-postgres', 14, '2026-11-28 18:05:50.106+00', '/operators/admin', 'groups.update', 'groups/movers', '{"paused": {"at": "2026-11-28T18:05:50.029Z", "by": "/operators/admin", "reason": "a deployment"}, "groupId": "194a5e9f-4c03-4300-911a-1eb7f6f4196f", "settings": {"topics": ["build.*"], "version": 1, "ackDeadlineMs": 3600000, "maxDeliveries": 2}}', '{"paused": {"at": "2026-11-28T18:05:50.029Z", "by": "/operators/admin", "reason": "a deployment"}, "groupId": "194a5e9f-4c03-4300-911a-1eb7f6f4196f", "settings": {"topics": ["build.*"], "version": 2, "ackDeadlineMs": 3600000, "maxDeliveries": 7}}', NULL, 'done', 'ee82a518-36b3-46b1-a5f2-15fb17f04269', 13, '\x6fc2ae193fc00161c7dd5e7e778e0319e5b60e5884b2ee58285cb67c8db54846', '\x50bfcd9b37766eecb5013b7ed96ee7719f77cc9d71f0fb5215d6f43b9643a368');

INSERT INTO public.audit_heads VALUES ('on-redis', 14, '2026-11-28 18:05:39.579+00', '\xdbaaf9c446d73dd93c6e5e26605dd1ca483b9b7ee080ffd037664279773a6385');
INSERT INTO public.audit_heads VALUES ('on-postgres', 14, '2026-11-28 18:05:50.106+00', '\x50bfcd9b37766eecb5013b7ed96ee7719f77cc9d71f0fb5215d6f43b9643a368');

INSERT INTO public.bus_dedup VALUES ('on-postgres', '/core', '01a22355-b42c-724e-9bbd-928810a9a2e4', 1, 178354542, '2026-11-28 18:05:49.008909+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000100', 2, 1007475550, '2026-11-28 18:05:49.284371+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000101', 3, 1007475550, '2026-11-28 18:05:49.284371+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000102', 4, 1007475550, '2026-11-28 18:05:49.284371+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000103', 5, 1007475550, '2026-11-28 18:05:49.284371+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000104', 6, 1007475550, '2026-11-28 18:05:49.284371+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000105', 7, 1007475550, '2026-11-28 18:05:49.284371+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000106', 8, 1007475550, '2026-11-28 18:05:49.284371+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000107', 9, 1007475550, '2026-11-28 18:05:49.284371+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000108', 10, 1007475550, '2026-11-28 18:05:49.284371+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000109', 11, 1007475550, '2026-11-28 18:05:49.284371+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000110', 12, 1007475550, '2026-11-28 18:05:49.284371+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000111', 13, 1007475550, '2026-11-28 18:05:49.284371+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/core', '01a22355-b80b-731c-b0d6-c13df68bc424', 14, 888808734, '2026-11-28 18:05:49.967144+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/core', '01a22355-b856-7166-b803-58c1fe2ad8df', 15, 548136761, '2026-11-28 18:05:50.049157+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/core', '01a22355-b892-726c-9d39-5b115d78aa80', 16, 1389648013, '2026-11-28 18:05:50.100658+00');

INSERT INTO public.bus_deliveries VALUES ('on-postgres', 'testers', 3, 1007475550, 'e231a713992d', 'waiting', 0, 1, 'then', '2026-11-28 18:05:49.487271+00', '2026-11-29 18:05:49.506797+00', NULL, NULL, '[{"reason": "later", "attempt": 1, "consumer": "then", "failedAt": 1795889149506, "deliveredAt": 1795889149487}]', '{"id":"00000000-0000-4000-8000-000000000101","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T18:05:49.367Z","data":{"n":1}}', 0, false);
INSERT INTO public.bus_deliveries VALUES ('on-postgres', 'testers', 4, 1007475550, 'e231a713992d', 'dead', 0, 2, 'then', '2026-11-28 18:05:49.722125+00', '2026-11-28 18:05:49.761694+00', '2026-11-28 18:05:49.761694+00', 1, '[{"reason": "no", "attempt": 1, "consumer": "then", "failedAt": 1795889149681, "deliveredAt": 1795889149589}, {"reason": "no again", "attempt": 2, "consumer": "then", "failedAt": 1795889149761, "deliveredAt": 1795889149722}]', '{"id":"00000000-0000-4000-8000-000000000102","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T18:05:49.367Z","data":{"n":2}}', 0, false);
INSERT INTO public.bus_deliveries VALUES ('on-postgres', 'testers', 5, 1007475550, 'e231a713992d', 'in_flight', 0, 1, 'then', '2026-11-28 18:05:49.789914+00', '2026-11-28 19:05:49.789914+00', NULL, NULL, '[]', '{"id":"00000000-0000-4000-8000-000000000103","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T18:05:49.367Z","data":{"n":3}}', 0, false);
INSERT INTO public.bus_deliveries VALUES ('on-postgres', 'movers', 7, 1007475550, 'e231a713992d', 'in_flight', 0, 1, 'then', '2026-11-28 18:05:49.824304+00', '2026-11-28 19:05:49.824304+00', NULL, NULL, '[]', '{"id":"00000000-0000-4000-8000-000000000105","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T18:05:49.367Z","data":{"n":5}}', 0, false);

INSERT INTO public.bus_events VALUES ('on-postgres', 1, 178354542, 379, '2026-11-28 18:05:49.008909+00', 'system.token.created', '{"id":"01a22355-b42c-724e-9bbd-928810a9a2e4","namespace":"on-postgres","source":"/core","topic":"system.token.created","time":"2026-11-28T18:05:49.062Z","subject":"01a22355-b424-737e-8ae6-9aee6dc6df83","data":{"id":"01a22355-b424-737e-8ae6-9aee6dc6df83","kind":"join","namespace":"on-postgres","name":"ci","roles":["coder"],"names":null,"expiresAt":null,"by":"/operators/admin"}}', NULL);
INSERT INTO public.bus_events VALUES ('on-postgres', 2, 1007475550, 559, '2026-11-28 18:05:49.284371+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000100","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T18:05:49.367Z","data":{"n":0}}', NULL);
INSERT INTO public.bus_events VALUES ('on-postgres', 3, 1007475550, 739, '2026-11-28 18:05:49.284371+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000101","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T18:05:49.367Z","data":{"n":1}}', NULL);
INSERT INTO public.bus_events VALUES ('on-postgres', 4, 1007475550, 919, '2026-11-28 18:05:49.284371+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000102","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T18:05:49.367Z","data":{"n":2}}', NULL);
INSERT INTO public.bus_events VALUES ('on-postgres', 5, 1007475550, 1099, '2026-11-28 18:05:49.284371+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000103","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T18:05:49.367Z","data":{"n":3}}', NULL);
INSERT INTO public.bus_events VALUES ('on-postgres', 6, 1007475550, 1279, '2026-11-28 18:05:49.284371+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000104","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T18:05:49.367Z","data":{"n":4}}', NULL);
INSERT INTO public.bus_events VALUES ('on-postgres', 7, 1007475550, 1459, '2026-11-28 18:05:49.284371+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000105","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T18:05:49.367Z","data":{"n":5}}', NULL);
INSERT INTO public.bus_events VALUES ('on-postgres', 8, 1007475550, 1639, '2026-11-28 18:05:49.284371+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000106","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T18:05:49.367Z","data":{"n":6}}', NULL);
INSERT INTO public.bus_events VALUES ('on-postgres', 9, 1007475550, 1819, '2026-11-28 18:05:49.284371+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000107","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T18:05:49.367Z","data":{"n":7}}', NULL);
INSERT INTO public.bus_events VALUES ('on-postgres', 10, 1007475550, 1999, '2026-11-28 18:05:49.284371+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000108","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T18:05:49.367Z","data":{"n":8}}', NULL);
INSERT INTO public.bus_events VALUES ('on-postgres', 11, 1007475550, 2179, '2026-11-28 18:05:49.284371+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000109","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T18:05:49.367Z","data":{"n":9}}', NULL);
INSERT INTO public.bus_events VALUES ('on-postgres', 12, 1007475550, 2360, '2026-11-28 18:05:49.284371+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000110","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T18:05:49.367Z","data":{"n":10}}', NULL);
INSERT INTO public.bus_events VALUES ('on-postgres', 13, 1007475550, 2541, '2026-11-28 18:05:49.284371+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000111","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T18:05:49.367Z","data":{"n":11}}', NULL);
INSERT INTO public.bus_events VALUES ('on-postgres', 14, 888808734, 2905, '2026-11-28 18:05:49.967144+00', 'system.group.sought', '{"id":"01a22355-b80b-731c-b0d6-c13df68bc424","namespace":"on-postgres","source":"/core","topic":"system.group.sought","time":"2026-11-28T18:05:50.052Z","subject":"movers","data":{"group":"movers","groupId":"194a5e9f-4c03-4300-911a-1eb7f6f4196f","by":"/operators/admin","reason":null,"before":"e231a713992d-7-gntp3y","position":"e231a713992d-4-gntp3y","dropped":0}}', NULL);
INSERT INTO public.bus_events VALUES ('on-postgres', 15, 548136761, 3199, '2026-11-28 18:05:50.049157+00', 'system.group.paused', '{"id":"01a22355-b856-7166-b803-58c1fe2ad8df","namespace":"on-postgres","source":"/core","topic":"system.group.paused","time":"2026-11-28T18:05:50.128Z","subject":"movers","data":{"group":"movers","groupId":"194a5e9f-4c03-4300-911a-1eb7f6f4196f","by":"/operators/admin","reason":"a deployment"}}', NULL);
INSERT INTO public.bus_events VALUES ('on-postgres', 16, 1389648013, 3572, '2026-11-28 18:05:50.100658+00', 'system.group.updated', '{"id":"01a22355-b892-726c-9d39-5b115d78aa80","namespace":"on-postgres","source":"/core","topic":"system.group.updated","time":"2026-11-28T18:05:50.187Z","subject":"movers","data":{"group":"movers","groupId":"194a5e9f-4c03-4300-911a-1eb7f6f4196f","by":"/operators/admin","reason":null,"settings":{"version":2,"topics":["build.*"],"ackDeadlineMs":3600000,"maxDeliveries":7}}}', NULL);

INSERT INTO public.bus_flows VALUES ('on-postgres', '/agents/on-postgres/ada', 12, 2162, 13, 2541);
INSERT INTO public.bus_flows VALUES ('on-postgres', '/core', 3.9999820001149997, 1409.9985447199026, 16, 3572);

INSERT INTO public.bus_groups VALUES ('on-postgres', 'testers', '{build.*}', 3600000, 2, 'e231a713992d', 5, 1007475550, 1, 'fbdf9dff-ea90-4358-83c4-9914eba8bfb4', 1, NULL, NULL, NULL, NULL, '/operators/admin', '2026-11-28 18:05:49.361032+00', 0, NULL, NULL, NULL, NULL, '[]');
INSERT INTO public.bus_groups VALUES ('on-postgres', 'movers', '{build.*}', 3600000, 7, 'e231a713992d', 7, 1007475550, 0, '194a5e9f-4c03-4300-911a-1eb7f6f4196f', 2, '{"topics": ["build.*"], "ackDeadlineMs": 3600000, "maxDeliveries": 2}', '{"at": 1795889150029, "by": "/operators/admin", "reason": "a deployment"}', NULL, NULL, '/operators/admin', '2026-11-28 18:05:49.820639+00', 1, 'e231a713992d', 4, 1007475550, 1, '[]');

INSERT INTO public.bus_logs VALUES ('on-postgres', 'e231a713992d', 16, 1389648013, 3572, 0, 0, 0, 0, 0, 0, '{}', '2026-11-28 18:05:50.100658+00');

INSERT INTO public.bus_members VALUES ('on-postgres', 'testers', 'then', '2026-11-28 18:05:49.381953+00', 0);
INSERT INTO public.bus_members VALUES ('on-postgres', 'movers', 'then', '2026-11-28 18:05:49.824304+00', 0);

INSERT INTO public.bus_topics VALUES ('on-postgres', 'system.token.created', 1, 29931485, 1, 0, 1, 178354542);
INSERT INTO public.bus_topics VALUES ('on-postgres', 'build.finished', 12, 29931485, 12, 0, 13, 1007475550);
INSERT INTO public.bus_topics VALUES ('on-postgres', 'system.group.sought', 1, 29931485, 1, 0, 14, 888808734);
INSERT INTO public.bus_topics VALUES ('on-postgres', 'system.group.paused', 1, 29931485, 1, 0, 15, 548136761);
INSERT INTO public.bus_topics VALUES ('on-postgres', 'system.group.updated', 1, 29931485, 1, 0, 16, 1389648013);

INSERT INTO public.changes VALUES ('on-redis', 1, 'ada', 'registered', NULL, '{"id": "01a22355-884c-73d8-9989-06cd95137d1d", "name": "ada", "role": "coder", "labels": {"team": "core"}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "activitySince": "2026-11-28T18:05:37.794Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.0.0", "revision": 1, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T18:05:37.794Z", "description": null, "incarnation": "00000000-0000-4000-8000-000000000001", "capabilities": [{"id": "write"}], "registeredAt": "2026-11-28T18:05:37.794Z", "specRevision": 1}', '2026-11-28 18:05:37.794+00');
INSERT INTO public.changes VALUES ('on-redis', 2, 'ada', 'updated', '{"id": "01a22355-884c-73d8-9989-06cd95137d1d", "name": "ada", "role": "coder", "labels": {"team": "core"}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "activitySince": "2026-11-28T18:05:37.794Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.0.0", "revision": 1, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T18:05:37.794Z", "description": null, "incarnation": "00000000-0000-4000-8000-000000000001", "capabilities": [{"id": "write"}], "registeredAt": "2026-11-28T18:05:37.794Z", "specRevision": 1}', '{"id": "01a22355-884c-73d8-9989-06cd95137d1d", "name": "ada", "role": "coder", "labels": {"team": "core"}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": "2026-11-28T18:05:37.794Z", "activitySince": "2026-11-28T18:05:37.794Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.1.0", "revision": 2, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T18:05:37.992Z", "description": null, "incarnation": "00000000-0000-4000-8000-000000000001", "capabilities": [{"id": "write"}], "registeredAt": "2026-11-28T18:05:37.794Z", "specRevision": 2}', '2026-11-28 18:05:37.992+00');
INSERT INTO public.changes VALUES ('on-redis', 3, 'bob', 'registered', NULL, '{"id": "01a22355-8973-7634-a5ba-7af0ef06c821", "name": "bob", "role": "qa", "labels": {}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "activitySince": "2026-11-28T18:05:38.059Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.0.0", "revision": 3, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T18:05:38.059Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T18:05:38.059Z", "specRevision": 3}', '2026-11-28 18:05:38.059+00');
INSERT INTO public.changes VALUES ('on-redis', 4, 'gone', 'registered', NULL, '{"id": "01a22355-89bc-7446-85b2-79245f24234c", "name": "gone", "role": "qa", "labels": {}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "activitySince": "2026-11-28T18:05:38.115Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.0.0", "revision": 4, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T18:05:38.115Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T18:05:38.115Z", "specRevision": 4}', '2026-11-28 18:05:38.115+00');
INSERT INTO public.changes VALUES ('on-redis', 5, 'gone', 'deregistered', '{"id": "01a22355-89bc-7446-85b2-79245f24234c", "name": "gone", "role": "qa", "labels": {}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "activitySince": "2026-11-28T18:05:38.115Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.0.0", "revision": 4, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T18:05:38.115Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T18:05:38.115Z", "specRevision": 4}', '{"id": "01a22355-89bc-7446-85b2-79245f24234c", "name": "gone", "role": "qa", "labels": {}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": "2026-11-28T18:05:38.115Z", "activitySince": "2026-11-28T18:05:38.115Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.0.0", "revision": 5, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T18:05:38.208Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T18:05:38.115Z", "specRevision": 4}', '2026-11-28 18:05:38.208+00');
INSERT INTO public.changes VALUES ('on-postgres', 1, 'ada', 'registered', NULL, '{"id": "01a22355-b220-7796-97b7-5cd84437be7c", "name": "ada", "role": "coder", "labels": {"team": "core"}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "activitySince": "2026-11-28T18:05:48.530Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.0.0", "revision": 1, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T18:05:48.530Z", "description": null, "incarnation": "00000000-0000-4000-8000-000000000001", "capabilities": [{"id": "write"}], "registeredAt": "2026-11-28T18:05:48.530Z", "specRevision": 1}', '2026-11-28 18:05:48.53+00');
INSERT INTO public.changes VALUES ('on-postgres', 2, 'ada', 'updated', '{"id": "01a22355-b220-7796-97b7-5cd84437be7c", "name": "ada", "role": "coder", "labels": {"team": "core"}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "activitySince": "2026-11-28T18:05:48.530Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.0.0", "revision": 1, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T18:05:48.530Z", "description": null, "incarnation": "00000000-0000-4000-8000-000000000001", "capabilities": [{"id": "write"}], "registeredAt": "2026-11-28T18:05:48.530Z", "specRevision": 1}', '{"id": "01a22355-b220-7796-97b7-5cd84437be7c", "name": "ada", "role": "coder", "labels": {"team": "core"}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": "2026-11-28T18:05:48.530Z", "activitySince": "2026-11-28T18:05:48.530Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.1.0", "revision": 2, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T18:05:48.693Z", "description": null, "incarnation": "00000000-0000-4000-8000-000000000001", "capabilities": [{"id": "write"}], "registeredAt": "2026-11-28T18:05:48.530Z", "specRevision": 2}', '2026-11-28 18:05:48.693+00');
INSERT INTO public.changes VALUES ('on-postgres', 3, 'bob', 'registered', NULL, '{"id": "01a22355-b342-77b3-933b-f2a26e39fbfd", "name": "bob", "role": "qa", "labels": {}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "activitySince": "2026-11-28T18:05:48.744Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.0.0", "revision": 3, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T18:05:48.744Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T18:05:48.744Z", "specRevision": 3}', '2026-11-28 18:05:48.744+00');
INSERT INTO public.changes VALUES ('on-postgres', 4, 'gone', 'registered', NULL, '{"id": "01a22355-b365-71ea-bcb4-ecd6d1e8bf1f", "name": "gone", "role": "qa", "labels": {}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "activitySince": "2026-11-28T18:05:48.798Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.0.0", "revision": 4, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T18:05:48.798Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T18:05:48.798Z", "specRevision": 4}', '2026-11-28 18:05:48.798+00');
INSERT INTO public.changes VALUES ('on-postgres', 5, 'gone', 'deregistered', '{"id": "01a22355-b365-71ea-bcb4-ecd6d1e8bf1f", "name": "gone", "role": "qa", "labels": {}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "activitySince": "2026-11-28T18:05:48.798Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.0.0", "revision": 4, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T18:05:48.798Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T18:05:48.798Z", "specRevision": 4}', '{"id": "01a22355-b365-71ea-bcb4-ecd6d1e8bf1f", "name": "gone", "role": "qa", "labels": {}, "status": {"note": null, "health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": "2026-11-28T18:05:48.798Z", "activitySince": "2026-11-28T18:05:48.798Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "leaseMs": null, "version": "1.0.0", "revision": 5, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T18:05:48.889Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T18:05:48.798Z", "specRevision": 4}', '2026-11-28 18:05:48.889+00');

INSERT INTO public.incarnations VALUES ('on-redis', 'ada', '00000000-0000-4000-8000-000000000001', NULL, '2026-11-28 18:05:37.992+00');
INSERT INTO public.incarnations VALUES ('on-postgres', 'ada', '00000000-0000-4000-8000-000000000001', NULL, '2026-11-28 18:05:48.693+00');

INSERT INTO public.namespaces VALUES ('on-redis', 5, 0);
INSERT INTO public.namespaces VALUES ('on-postgres', 5, 0);

INSERT INTO public.policies VALUES ('on-redis', 1, '{"roles": {"qa": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "test.>", "review.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "test.>", "review.>", "code.>", "build.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "coder": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "code.>", "build.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "code.>", "build.>", "review.>", "test.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "worker": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "observer": {"consume": [], "publish": [], "subscribe": [">"]}, "architect": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["goal.>", "plan.>", "task.*.assigned", "task.*.cancelled", "task.*.rejected", "task.*.stalled", "architect.{name}.>", "agent.*.inbox.>"], "subscribe": ["goal.>", "plan.>", "task.>", "architect.>", "system.>", "agent.{name}.inbox.>"]}}, "default": {"consume": [], "publish": [], "subscribe": ["agent.{name}.inbox.>"]}}', '2026-11-28 18:05:38.332384+00');
INSERT INTO public.policies VALUES ('on-postgres', 1, '{"roles": {"qa": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "test.>", "review.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "test.>", "review.>", "code.>", "build.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "coder": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "code.>", "build.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "code.>", "build.>", "review.>", "test.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "worker": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "observer": {"consume": [], "publish": [], "subscribe": [">"]}, "architect": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["goal.>", "plan.>", "task.*.assigned", "task.*.cancelled", "task.*.rejected", "task.*.stalled", "architect.{name}.>", "agent.*.inbox.>"], "subscribe": ["goal.>", "plan.>", "task.>", "architect.>", "system.>", "agent.{name}.inbox.>"]}}, "default": {"consume": [], "publish": [], "subscribe": ["agent.{name}.inbox.>"]}}', '2026-11-28 18:05:49.159714+00');

INSERT INTO public.policy_versions VALUES ('on-redis', 1, '{"roles": {"qa": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "test.>", "review.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "test.>", "review.>", "code.>", "build.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "coder": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "code.>", "build.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "code.>", "build.>", "review.>", "test.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "worker": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "observer": {"consume": [], "publish": [], "subscribe": [">"]}, "architect": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["goal.>", "plan.>", "task.*.assigned", "task.*.cancelled", "task.*.rejected", "task.*.stalled", "architect.{name}.>", "agent.*.inbox.>"], "subscribe": ["goal.>", "plan.>", "task.>", "architect.>", "system.>", "agent.{name}.inbox.>"]}}, "default": {"consume": [], "publish": [], "subscribe": ["agent.{name}.inbox.>"]}}', '/operators/admin', '2026-11-28 18:05:38.332384+00');
INSERT INTO public.policy_versions VALUES ('on-postgres', 1, '{"roles": {"qa": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "test.>", "review.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "test.>", "review.>", "code.>", "build.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "coder": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>", "code.>", "build.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>", "code.>", "build.>", "review.>", "test.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "worker": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["task.{name}.>", "agent.*.inbox.>"], "subscribe": ["task.{name}.>", "task.*.completed", "agent.{name}.inbox.>", "plan.>"], "denyPublish": ["task.{name}.assigned", "task.{name}.cancelled", "task.{name}.rejected", "task.{name}.stalled"]}, "observer": {"consume": [], "publish": [], "subscribe": [">"]}, "architect": {"consume": ["{name}", "{role}", "{role}-*"], "publish": ["goal.>", "plan.>", "task.*.assigned", "task.*.cancelled", "task.*.rejected", "task.*.stalled", "architect.{name}.>", "agent.*.inbox.>"], "subscribe": ["goal.>", "plan.>", "task.>", "architect.>", "system.>", "agent.{name}.inbox.>"]}}, "default": {"consume": [], "publish": [], "subscribe": ["agent.{name}.inbox.>"]}}', '/operators/admin', '2026-11-28 18:05:49.159714+00');

INSERT INTO public.removed_names VALUES ('on-redis', 'gone', '2026-11-28 18:05:38.208+00');
INSERT INTO public.removed_names VALUES ('on-postgres', 'gone', '2026-11-28 18:05:48.889+00');

INSERT INTO public.statistics VALUES ('on-redis', 1795889130000, '01a22355-8194-73dc-a6f7-e22e9c129b70', 16, 11, 6, 1, 1, 0, 62.494910999999775);
INSERT INTO public.statistics VALUES ('on-postgres', 1795889140000, '01a22355-aeb0-70d7-badb-9da34bde436d', 13, 11, 6, 1, 1, 0, 22.882343999999648);
INSERT INTO public.statistics VALUES ('on-postgres', 1795889150000, '01a22355-aeb0-70d7-badb-9da34bde436d', 3, 0, 0, 0, 0, 0, NULL);

INSERT INTO public.store_record VALUES (true, '9d04f783-24e6-4b87-9449-b1c2220d8236', '2026-11-28 18:05:34.140161+00');

INSERT INTO public.swarm_functions VALUES ('registry', 4, '689f55104295d578efa79cb79c4b5a1e2b73af97ec821273a3a24af77e2a4e73');
INSERT INTO public.swarm_functions VALUES ('bus', 4, 'b50c9b618ed8f3880f142e27450b785491e49473ad01204a56b2c59cd1a8c662');
INSERT INTO public.swarm_functions VALUES ('operations', 1, 'a22bbb35407c0bf0a3931f2ec0dc71d1d7b5e7d9313e6076f0be66d9b12017e6');

INSERT INTO public.swarm_migrations VALUES ('20261122-bus', '2026-11-28T18:05:34.663Z');
INSERT INTO public.swarm_migrations VALUES ('20261122-policies', '2026-11-28T18:05:34.691Z');
INSERT INTO public.swarm_migrations VALUES ('20261122-registry', '2026-11-28T18:05:34.827Z');
INSERT INTO public.swarm_migrations VALUES ('20261123-liveness', '2026-11-28T18:05:34.904Z');
INSERT INTO public.swarm_migrations VALUES ('20261124-circuit-news', '2026-11-28T18:05:34.931Z');
INSERT INTO public.swarm_migrations VALUES ('20261125-shown-circuits', '2026-11-28T18:05:34.947Z');
INSERT INTO public.swarm_migrations VALUES ('20261127-token-names', '2026-11-28T18:05:34.963Z');
INSERT INTO public.swarm_migrations VALUES ('20261128-fencing', '2026-11-28T18:05:34.982Z');
INSERT INTO public.swarm_migrations VALUES ('20261128-policy-history', '2026-11-28T18:05:34.989Z');
INSERT INTO public.swarm_migrations VALUES ('20261128-spared-events', '2026-11-28T18:05:35.034Z');
INSERT INTO public.swarm_migrations VALUES ('20261128-store-record', '2026-11-28T18:05:35.095Z');
INSERT INTO public.swarm_migrations VALUES ('20261128-token-owners', '2026-11-28T18:05:35.121Z');
INSERT INTO public.swarm_migrations VALUES ('20261129-operator-holds', '2026-11-28T18:05:35.129Z');
INSERT INTO public.swarm_migrations VALUES ('20261130-leases', '2026-11-28T18:05:35.135Z');
INSERT INTO public.swarm_migrations VALUES ('20261201-operations-audit', '2026-11-28T18:05:35.163Z');
INSERT INTO public.swarm_migrations VALUES ('20261201-operations-reports', '2026-11-28T18:05:35.190Z');
INSERT INTO public.swarm_migrations VALUES ('20261201-operations-token-use', '2026-11-28T18:05:35.193Z');
INSERT INTO public.swarm_migrations VALUES ('20261202-group-steering', '2026-11-28T18:05:35.229Z');
INSERT INTO public.swarm_migrations VALUES ('20261203-deliveries', '2026-11-28T18:05:35.272Z');

INSERT INTO public.swarm_migrations_lock VALUES ('migration_lock', 0);

INSERT INTO public.token_epoch VALUES (true, 0);

INSERT INTO public.tokens VALUES ('\xfaa7a941cee55e3ac2181afa6911c056f0d18be83f33e0689438f86c96e2c403', '01a22355-884c-73d8-9989-009f04e5ee92', 'agent', 'on-redis', 'ada', NULL, '01a22355-884c-73d8-9989-06cd95137d1d', '00000000-0000-4000-8000-000000000001', '2026-11-28 18:05:37.794+00', NULL, NULL, 0, NULL, NULL, NULL);
INSERT INTO public.tokens VALUES ('\xae2dc0acc2f2de16e96b9a42ff1bbae56ca4f082b961024abfe834a180662cbd', '01a22355-8973-7634-a5ba-769b4755588a', 'agent', 'on-redis', 'bob', NULL, '01a22355-8973-7634-a5ba-7af0ef06c821', NULL, '2026-11-28 18:05:38.059+00', NULL, NULL, 0, NULL, NULL, NULL);
INSERT INTO public.tokens VALUES ('\x021aa780ec5bdeba0cb751ff1ecb41bdba62ad0211f6d68f48448bea79b62013', '01a22355-8a48-705d-9e0c-77aabb8c78ad', 'join', 'on-redis', 'ci', '["coder"]', NULL, NULL, '2026-11-28 18:05:38.250489+00', NULL, NULL, 0, NULL, NULL, NULL);
INSERT INTO public.tokens VALUES ('\x0bf9adec8c645f5ec8ed30480137798ee48f90ed862b4bf3cb69ab216da65444', '01a22355-b220-7796-97b7-5b5c7547c053', 'agent', 'on-postgres', 'ada', NULL, '01a22355-b220-7796-97b7-5cd84437be7c', '00000000-0000-4000-8000-000000000001', '2026-11-28 18:05:48.53+00', NULL, NULL, 0, NULL, NULL, NULL);
INSERT INTO public.tokens VALUES ('\x197d28a1e84c06294342a85e50497e2614b6e645b92de5b3551c63207d33d096', '01a22355-b341-77d8-a09f-c2a4d117c3c3', 'agent', 'on-postgres', 'bob', NULL, '01a22355-b342-77b3-933b-f2a26e39fbfd', NULL, '2026-11-28 18:05:48.744+00', NULL, NULL, 0, NULL, NULL, NULL);
INSERT INTO public.tokens VALUES ('\x2db6366d2ed056ee343f5cdead5db162b2f30d4c9799586a1e4845fbc781c201', '01a22355-b424-737e-8ae6-9aee6dc6df83', 'join', 'on-postgres', 'ci', '["coder"]', NULL, NULL, '2026-11-28 18:05:48.970522+00', NULL, NULL, 0, NULL, NULL, NULL);

INSERT INTO public.traffic VALUES ('on-redis', 1795889100000, '01a22355-8194-73dc-a6f7-e22e9c129b70', '[["/agents/on-redis/ada", "build.finished", "group", "testers", 5], ["/agents/on-redis/ada", "build.finished", "group", "movers", 6]]', 0);
INSERT INTO public.traffic VALUES ('on-postgres', 1795889100000, '01a22355-aeb0-70d7-badb-9da34bde436d', '[["/agents/on-postgres/ada", "build.finished", "group", "testers", 5], ["/agents/on-postgres/ada", "build.finished", "group", "movers", 6]]', 0);

ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_pkey PRIMARY KEY (namespace, name);

ALTER TABLE ONLY public.audit_entries
    ADD CONSTRAINT audit_entries_pkey PRIMARY KEY (namespace, seq);

ALTER TABLE ONLY public.audit_heads
    ADD CONSTRAINT audit_heads_pkey PRIMARY KEY (namespace);

ALTER TABLE ONLY public.bus_dedup
    ADD CONSTRAINT bus_dedup_pkey PRIMARY KEY (namespace, source, id);

ALTER TABLE ONLY public.bus_deleted_groups
    ADD CONSTRAINT bus_deleted_groups_pkey PRIMARY KEY (namespace, id);

ALTER TABLE ONLY public.bus_deliveries
    ADD CONSTRAINT bus_deliveries_pkey PRIMARY KEY (namespace, group_name, seq, nonce, epoch);

ALTER TABLE ONLY public.bus_events
    ADD CONSTRAINT bus_events_pkey PRIMARY KEY (namespace, seq);

ALTER TABLE ONLY public.bus_flows
    ADD CONSTRAINT bus_flows_pkey PRIMARY KEY (namespace, source);

ALTER TABLE ONLY public.bus_groups
    ADD CONSTRAINT bus_groups_pkey PRIMARY KEY (namespace, name);

ALTER TABLE ONLY public.bus_logs
    ADD CONSTRAINT bus_logs_pkey PRIMARY KEY (namespace);

ALTER TABLE ONLY public.bus_members
    ADD CONSTRAINT bus_members_pkey PRIMARY KEY (namespace, group_name, consumer);

ALTER TABLE ONLY public.bus_topics
    ADD CONSTRAINT bus_topics_pkey PRIMARY KEY (namespace, topic);

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT changes_pkey PRIMARY KEY (namespace, revision);

ALTER TABLE ONLY public.circuit_news
    ADD CONSTRAINT circuit_news_pkey PRIMARY KEY (namespace, revision);

ALTER TABLE ONLY public.duties
    ADD CONSTRAINT duties_pkey PRIMARY KEY (duty);

ALTER TABLE ONLY public.ended_token_names
    ADD CONSTRAINT ended_token_names_pkey PRIMARY KEY (namespace, name);

ALTER TABLE ONLY public.incarnations
    ADD CONSTRAINT incarnations_pkey PRIMARY KEY (namespace, name, incarnation);

ALTER TABLE ONLY public.namespaces
    ADD CONSTRAINT namespaces_pkey PRIMARY KEY (namespace);

ALTER TABLE ONLY public.operator_holds
    ADD CONSTRAINT operator_holds_pkey PRIMARY KEY (namespace, name, hold);

ALTER TABLE ONLY public.policies
    ADD CONSTRAINT policies_pkey PRIMARY KEY (namespace);

ALTER TABLE ONLY public.policy_versions
    ADD CONSTRAINT policy_versions_pkey PRIMARY KEY (namespace, version);

ALTER TABLE ONLY public.removed_names
    ADD CONSTRAINT removed_names_pkey PRIMARY KEY (namespace, name);

ALTER TABLE ONLY public.replicas
    ADD CONSTRAINT replicas_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.statistics
    ADD CONSTRAINT statistics_pkey PRIMARY KEY (namespace, bucket, replica);

ALTER TABLE ONLY public.store_record
    ADD CONSTRAINT store_record_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.swarm_functions
    ADD CONSTRAINT swarm_functions_pkey PRIMARY KEY (component);

ALTER TABLE ONLY public.swarm_migrations_lock
    ADD CONSTRAINT swarm_migrations_lock_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.swarm_migrations
    ADD CONSTRAINT swarm_migrations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.token_epoch
    ADD CONSTRAINT token_epoch_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.traffic
    ADD CONSTRAINT traffic_pkey PRIMARY KEY (namespace, bucket, replica);

CREATE INDEX agents_by_role ON public.agents USING btree (namespace, ((doc ->> 'role'::text)), name);

CREATE INDEX agents_by_term ON public.agents USING gin (facets, search);

CREATE INDEX agents_to_probe ON public.agents USING btree (probe_at NULLS FIRST) WHERE (jsonb_typeof((doc -> 'healthUrl'::text)) = 'string'::text);

CREATE INDEX agents_with_circuit ON public.agents USING btree (namespace, name) WHERE ((doc #>> '{status,circuit}'::text[]) <> 'closed'::text);

CREATE INDEX agents_with_lease ON public.agents USING btree (lease_ms) WHERE (lease_ms IS NOT NULL);

CREATE INDEX agents_with_liveness ON public.agents USING btree (namespace, name) WHERE (liveness IS NOT NULL);

CREATE INDEX audit_entries_by_action ON public.audit_entries USING btree (namespace, action, seq);

CREATE INDEX audit_entries_by_actor ON public.audit_entries USING btree (namespace, actor, seq);

CREATE INDEX audit_entries_by_time ON public.audit_entries USING btree (at);

CREATE INDEX bus_dedup_by_age ON public.bus_dedup USING btree (at);

CREATE INDEX bus_deleted_groups_by_age ON public.bus_deleted_groups USING btree (namespace, at);

CREATE INDEX bus_deliveries_by_death ON public.bus_deliveries USING btree (namespace, group_name, ordinal) WHERE (state = 'dead'::text);

CREATE INDEX bus_deliveries_by_time ON public.bus_deliveries USING btree (namespace, group_name, state, due_at, seq) WHERE (state <> 'dead'::text);

CREATE INDEX bus_deliveries_of_consumers ON public.bus_deliveries USING btree (namespace, group_name, consumer) WHERE (state = 'in_flight'::text);

CREATE INDEX bus_events_spared ON public.bus_events USING btree (namespace, seq) WHERE (spared_after IS NOT NULL);

CREATE INDEX bus_groups_by_maker ON public.bus_groups USING btree (namespace, maker) WHERE (maker IS NOT NULL);

CREATE INDEX bus_groups_owned ON public.bus_groups USING btree (namespace, name) WHERE (owned_by IS NOT NULL);

CREATE INDEX changes_by_name ON public.changes USING btree (namespace, name, revision);

CREATE INDEX removed_names_by_age ON public.removed_names USING btree (removed_at);

CREATE INDEX statistics_by_time ON public.statistics USING btree (bucket);

CREATE INDEX tokens_of_agents ON public.tokens USING btree (namespace, name) WHERE (kind = 'agent'::text);

CREATE UNIQUE INDEX tokens_of_operators ON public.tokens USING btree (id) WHERE (kind <> 'agent'::text);

CREATE INDEX traffic_by_time ON public.traffic USING btree (bucket);

CREATE TRIGGER changes_of_circuits AFTER INSERT ON public.changes FOR EACH ROW WHEN (((new.change = 'status'::text) AND ((new.before #>> '{status,circuit}'::text[]) IS DISTINCT FROM (new.after #>> '{status,circuit}'::text[])))) EXECUTE FUNCTION public.note_circuit();

