

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
    v_at := clock_timestamp();
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
      select * into v_horizon from bus_horizon(v_log, p_max_events, p_max_bytes, p_max_age_ms);
      v_log.horizon_seq := v_horizon.seq;
      update bus_logs l set
        head_seq = v_log.head_seq, head_nonce = v_log.head_nonce, head_bytes = v_log.head_bytes,
        horizon_seq = v_horizon.seq, horizon_nonce = v_horizon.nonce, horizon_bytes = v_horizon.bytes
      where l.namespace = p_namespace;
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
      select bus_gap(l, v_group.cursor_epoch, v_group.cursor_seq, v_group.cursor_nonce, (
          select e.nonce from bus_events e where e.namespace = p_namespace and e.seq = v_group.cursor_seq)) as gap,
        bus_gap(l, p_offer -> 'upTo' ->> 'epoch', (p_offer -> 'upTo' ->> 'seq')::bigint,
          (p_offer -> 'upTo' ->> 'nonce')::bigint, (
            select e.nonce from bus_events e
            where e.namespace = p_namespace and e.seq = (p_offer -> 'upTo' ->> 'seq')::bigint)) as offer_gap,
        l.epoch, l.horizon_seq, l.horizon_nonce
      into v_log from bus_logs l where l.namespace = p_namespace;
      exit when found;
      perform bus_open_logs(array[p_namespace]);
    end loop;
    gap := v_log.gap;
    if gap is not null then
      lost := case when gap = 'retention' then v_log.horizon_seq - v_seq end;
      v_epoch := v_log.epoch;
      v_seq := v_log.horizon_seq;
      v_nonce := v_log.horizon_nonce;
    end if;

    select count(*) into v_open from bus_deliveries d
    where d.namespace = p_namespace and d.group_name = p_name and d.state = 'in_flight' and d.consumer = p_consumer;
    v_free := greatest(0, least(p_max, p_max_in_flight - v_open));
    v_due := 0;
    if v_free > 0 then
      with chosen as materialized (
        select c.row, row_number() over (order by c.due_at, c.seq, c.row) as ord,
          sum(octet_length(c.text)) over (order by c.due_at, c.seq, c.row) as bytes
        from (
          select d.ctid as row, d.due_at, d.seq, d.text from bus_deliveries d
          where d.namespace = p_namespace and d.group_name = p_name and d.state = 'waiting' and d.due_at <= v_at
          order by d.due_at, d.seq limit v_free
        ) c
      ),
      handed as (
        update bus_deliveries d set
          state = 'in_flight', attempt = d.attempt + 1, consumer = p_consumer, delivered_at = v_at,
          due_at = v_at + v_group.ack_deadline_ms * interval '1 millisecond'
        from chosen c where d.ctid = c.row and (c.ord = 1 or c.bytes <= p_max_bytes)
        returning c.ord, d.epoch, d.seq, d.nonce, d.life, d.attempt, d.text
      )
      select json_agg(json_build_array(h.epoch, h.seq, h.nonce, h.life, h.attempt, h.text) order by h.ord), count(*)
      into due, v_due from handed h;
      -- An answer that is full of due events takes no others before them.
      if v_due < v_free and exists (
        select from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name and d.state = 'waiting' and d.due_at <= v_at
      ) then
        v_free := v_due;
      end if;
    end if;

    taken := 0;
    if (p_offer ->> 'seq')::bigint = v_seq and (p_offer ->> 'nonce')::bigint = v_nonce
      and p_offer ->> 'epoch' = v_epoch then
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

CREATE TABLE public.bus_groups (
    namespace text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    topics text[] NOT NULL COLLATE pg_catalog."C",
    ack_deadline_ms bigint NOT NULL,
    max_deliveries integer NOT NULL,
    cursor_epoch text NOT NULL COLLATE pg_catalog."C",
    cursor_seq bigint NOT NULL,
    cursor_nonce integer NOT NULL,
    deaths bigint DEFAULT 0 NOT NULL
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
        select p.row, p.dies,
          entered.deaths + row_number() over (partition by p.dies order by p.due_at, p.seq) as ordinal
        from (
          select d.ctid as row, d.attempt >= entered.max_deliveries as dies, d.due_at, d.seq
          from bus_deliveries d
          where d.namespace = p_namespace and d.group_name = p_name and d.state = 'in_flight' and d.due_at <= entered_at
          order by d.due_at, d.seq limit 2000
        ) p
      ),
      moved as (
        update bus_deliveries d set
          state = case when p.dies then 'dead' else 'waiting' end,
          history = d.history || bus_attempt(d, d.due_at, null),
          ordinal = case when p.dies then p.ordinal end,
          dead_at = case when p.dies then entered_at end
        from passed p where d.ctid = p.row
      )
      select count(*) into v_died from passed p where p.dies;
      if v_died > 0 then
        update bus_groups g set deaths = g.deaths + v_died where g.namespace = p_namespace and g.name = p_name;
        entered.deaths := entered.deaths + v_died;
      end if;
    end if;
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
    swept_seq bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='40');

CREATE FUNCTION public.bus_gap(p_log public.bus_logs, p_epoch text, p_seq bigint, p_nonce bigint, p_nonce_there integer) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
    select case
      when p_log.epoch <> p_epoch or p_seq > p_log.head_seq then 'log_lost'
      when p_seq < p_log.horizon_seq then 'retention'
      when p_nonce is distinct from case p_seq
        when p_log.head_seq then p_log.head_nonce
        when p_log.horizon_seq then p_log.horizon_nonce
        else p_nonce_there
      end then 'log_lost'
    end
  $$;

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
        case when p_latest then l.head_seq else l.horizon_seq end,
        case when p_latest then l.head_nonce else l.horizon_nonce end
      from bus_logs l where l.namespace = p_namespace
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

CREATE FUNCTION public.bus_resolve_dead(p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[], p_up_to bigint, p_max bigint, p_redrive boolean) RETURNS bigint
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  declare
    v_at timestamptz;
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
    if p_redrive then
      update bus_deliveries d set
        state = 'waiting', life = d.life + 1, attempt = 0, history = '[]', due_at = v_at, consumer = null, delivered_at = null,
        dead_at = null, ordinal = null
      where d.ctid = any(v_rows);
    else
      delete from bus_deliveries d where d.ctid = any(v_rows);
    end if;
    get diagnostics v_resolved = row_count;
    return v_resolved;
  end $$;

CREATE FUNCTION public.bus_retain(p_namespace text, p_max_events bigint, p_max_bytes bigint, p_max_age_ms bigint) RETURNS boolean
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
  declare
    v_log bus_logs;
    v_horizon record;
  begin
    select * into v_log from bus_logs l where l.namespace = p_namespace for update;
    if not found then
      return true;
    end if;
    select * into v_horizon from bus_horizon(v_log, p_max_events, p_max_bytes, p_max_age_ms);
    update bus_logs l set
      horizon_seq = v_horizon.seq, horizon_nonce = v_horizon.nonce, horizon_bytes = v_horizon.bytes
    where l.namespace = p_namespace and l.horizon_seq < v_horizon.seq;
    return v_horizon.settled;
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
    delete from bus_events e where e.namespace = p_namespace and e.seq > v_swept and e.seq <= v_up_to;
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
      select w.*, a.doc as before, a.incarnation as was,
        case when w.change is not null
          then v_head + row_number() over (partition by w.change is null order by w.ord) end as revision
      from jsonb_to_recordset(p_writes) as w(
        ord integer, name text, id uuid, expected bigint, change text, doc jsonb, spec boolean, seen boolean,
        facets text[], words text[], incarnation uuid, tokens jsonb)
      left join lateral (
        select doc, revision, incarnation from agents where namespace = p_namespace and name = w.name limit 1
      ) a on true
      where a.revision is not distinct from w.expected
    ),
    stamped as materialized (
      select w.*, w.change in ('deregistered', 'expired') as removes,
        w.doc || (
          jsonb_build_object('revision', w.revision, 'updatedAt', s.at)
          || case when w.spec then jsonb_build_object('specRevision', w.revision) else '{}' end
          || case when w.change = 'registered' then jsonb_build_object('registeredAt', s.at) else '{}' end
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
      insert into agents as a (namespace, name, id, doc, revision, incarnation, last_seen_at, facets, search)
      select p_namespace, s.name, s.id, s.after, s.revision, s.incarnation, case when s.seen then v_at end,
        s.facets, array_to_tsvector(s.words)
      from stamped s where not s.removes
      order by s.name collate "C"
      on conflict (namespace, name) do update set
        id = excluded.id, doc = excluded.doc, revision = excluded.revision, incarnation = excluded.incarnation,
        last_seen_at = greatest(a.last_seen_at, excluded.last_seen_at),
        facets = excluded.facets, search = excluded.search
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
    select w.ord, w.revision, w.name, w.change, w.before is not null as existed, w.was, w.incarnation from writes w
    order by w.name collate "C"
    loop
      if v_row.change in ('deregistered', 'expired') then
        delete from agents where namespace = p_namespace and name = v_row.name;
        delete from tokens
        where kind = 'agent' and namespace = p_namespace and name = v_row.name and fenced_at is null;
      elsif v_row.change is not null and v_row.incarnation is distinct from v_row.was then
        update incarnations set superseded_at = v_at
        where namespace = p_namespace and name = v_row.name
          and incarnation <> v_row.incarnation and superseded_at is null;
        if v_row.existed then
          update tokens set fenced_at = v_at
          where kind = 'agent' and namespace = p_namespace and name = v_row.name and fenced_at is null
            and incarnation is distinct from v_row.incarnation;
        end if;
      end if;
      ord := v_row.ord;
      revision := v_row.revision;
      at := v_at;
      return next;
    end loop;
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
    probe_at timestamp with time zone
)
WITH (fillfactor='85', toast_tuple_target='4080');

CREATE TABLE public.bus_dedup (
    namespace text NOT NULL COLLATE pg_catalog."C",
    source text NOT NULL COLLATE pg_catalog."C",
    id uuid NOT NULL,
    seq bigint NOT NULL,
    nonce integer NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.bus_events (
    namespace text NOT NULL COLLATE pg_catalog."C",
    seq bigint NOT NULL,
    nonce integer NOT NULL,
    bytes bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    topic text NOT NULL COLLATE pg_catalog."C",
    text text NOT NULL
);

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
    until timestamp with time zone NOT NULL
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

CREATE TABLE public.policies (
    namespace text NOT NULL,
    version bigint NOT NULL,
    rules jsonb NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
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
    fenced_at timestamp with time zone
);

INSERT INTO public.agents VALUES ('on-redis', 'ada', '01a21fcb-103b-74ba-933a-0305dd3318c3', '{"id": "01a21fcb-103b-74ba-933a-0305dd3318c3", "name": "ada", "role": "coder", "labels": {"team": "core"}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": "2026-11-28T01:35:31.397Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.1.0", "revision": 2, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T01:35:31.462Z", "description": null, "incarnation": "00000000-0000-4000-8000-000000000001", "capabilities": [{"id": "write"}], "registeredAt": "2026-11-28T01:35:31.397Z", "specRevision": 2}', 2, '00000000-0000-4000-8000-000000000001', '2026-11-28 01:35:31.397+00', '{on-redis/role:coder,on-redis/health:unknown,on-redis/circuit:closed,on-redis/capability:write,on-redis/label:team=core}', '''ada'' ''coder'' ''core'' ''team'' ''write''', NULL, NULL);
INSERT INTO public.agents VALUES ('on-redis', 'bob', '01a21fcb-1094-743a-9a2a-e7ec549324d5', '{"id": "01a21fcb-1094-743a-9a2a-e7ec549324d5", "name": "bob", "role": "qa", "labels": {}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "revision": 3, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T01:35:31.486Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T01:35:31.486Z", "specRevision": 3}', 3, NULL, '2026-11-28 01:35:31.486+00', '{on-redis/role:qa,on-redis/health:unknown,on-redis/circuit:closed}', '''bob'' ''qa''', NULL, NULL);
INSERT INTO public.agents VALUES ('on-postgres', 'ada', '01a21fcb-2bfb-7131-9210-add66378c51e', '{"id": "01a21fcb-2bfb-7131-9210-add66378c51e", "name": "ada", "role": "coder", "labels": {"team": "core"}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": "2026-11-28T01:35:38.585Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.1.0", "revision": 2, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T01:35:38.639Z", "description": null, "incarnation": "00000000-0000-4000-8000-000000000001", "capabilities": [{"id": "write"}], "registeredAt": "2026-11-28T01:35:38.585Z", "specRevision": 2}', 2, '00000000-0000-4000-8000-000000000001', '2026-11-28 01:35:38.585+00', '{on-postgres/role:coder,on-postgres/health:unknown,on-postgres/circuit:closed,on-postgres/capability:write,on-postgres/label:team=core}', '''ada'' ''coder'' ''core'' ''team'' ''write''', NULL, NULL);
INSERT INTO public.agents VALUES ('on-postgres', 'bob', '01a21fcb-2c94-77ff-b996-f16524c7eefd', '{"id": "01a21fcb-2c94-77ff-b996-f16524c7eefd", "name": "bob", "role": "qa", "labels": {}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "revision": 3, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T01:35:38.655Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T01:35:38.655Z", "specRevision": 3}', 3, NULL, '2026-11-28 01:35:38.655+00', '{on-postgres/role:qa,on-postgres/health:unknown,on-postgres/circuit:closed}', '''bob'' ''qa''', NULL, NULL);

INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000100', 1, 958234955, '2026-11-28 01:35:39.125272+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000101', 2, 958234955, '2026-11-28 01:35:39.125272+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000102', 3, 958234955, '2026-11-28 01:35:39.125272+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000103', 4, 958234955, '2026-11-28 01:35:39.125272+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000104', 5, 958234955, '2026-11-28 01:35:39.125272+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000105', 6, 958234955, '2026-11-28 01:35:39.125272+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000106', 7, 958234955, '2026-11-28 01:35:39.125272+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000107', 8, 958234955, '2026-11-28 01:35:39.125272+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000108', 9, 958234955, '2026-11-28 01:35:39.125272+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000109', 10, 958234955, '2026-11-28 01:35:39.125272+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000110', 11, 958234955, '2026-11-28 01:35:39.125272+00');
INSERT INTO public.bus_dedup VALUES ('on-postgres', '/agents/on-postgres/ada', '00000000-0000-4000-8000-000000000111', 12, 958234955, '2026-11-28 01:35:39.125272+00');

INSERT INTO public.bus_deliveries VALUES ('on-postgres', 'testers', 4, 958234955, '183da35bb86d', 'in_flight', 0, 1, 'c1', '2026-11-28 01:35:39.290339+00', '2026-11-28 02:35:39.290339+00', NULL, NULL, '[]', '{"id":"00000000-0000-4000-8000-000000000103","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T01:35:39.085Z","data":{"index":3}}');
INSERT INTO public.bus_deliveries VALUES ('on-postgres', 'testers', 2, 958234955, '183da35bb86d', 'waiting', 0, 1, 'c1', '2026-11-28 01:35:39.290339+00', '2026-11-29 01:35:39.426125+00', NULL, NULL, '[{"reason": "later", "attempt": 1, "consumer": "c1", "failedAt": 1795829739426, "deliveredAt": 1795829739290}]', '{"id":"00000000-0000-4000-8000-000000000101","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T01:35:39.085Z","data":{"index":1}}');
INSERT INTO public.bus_deliveries VALUES ('on-postgres', 'testers', 3, 958234955, '183da35bb86d', 'dead', 0, 2, 'c2', '2026-11-28 01:35:39.471779+00', '2026-11-28 01:35:39.495975+00', '2026-11-28 01:35:39.495975+00', 1, '[{"reason": "no", "attempt": 1, "consumer": "c1", "failedAt": 1795829739442, "deliveredAt": 1795829739290}, {"reason": "no again", "attempt": 2, "consumer": "c2", "failedAt": 1795829739495, "deliveredAt": 1795829739471}]', '{"id":"00000000-0000-4000-8000-000000000102","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.started","time":"2026-11-28T01:35:39.085Z","data":{"index":2}}');

INSERT INTO public.bus_events VALUES ('on-postgres', 1, 958234955, 183, '2026-11-28 01:35:39.125272+00', 'build.started', '{"id":"00000000-0000-4000-8000-000000000100","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.started","time":"2026-11-28T01:35:39.085Z","data":{"index":0}}');
INSERT INTO public.bus_events VALUES ('on-postgres', 2, 958234955, 367, '2026-11-28 01:35:39.125272+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000101","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T01:35:39.085Z","data":{"index":1}}');
INSERT INTO public.bus_events VALUES ('on-postgres', 3, 958234955, 550, '2026-11-28 01:35:39.125272+00', 'build.started', '{"id":"00000000-0000-4000-8000-000000000102","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.started","time":"2026-11-28T01:35:39.085Z","data":{"index":2}}');
INSERT INTO public.bus_events VALUES ('on-postgres', 4, 958234955, 734, '2026-11-28 01:35:39.125272+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000103","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T01:35:39.085Z","data":{"index":3}}');
INSERT INTO public.bus_events VALUES ('on-postgres', 5, 958234955, 917, '2026-11-28 01:35:39.125272+00', 'build.started', '{"id":"00000000-0000-4000-8000-000000000104","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.started","time":"2026-11-28T01:35:39.085Z","data":{"index":4}}');
INSERT INTO public.bus_events VALUES ('on-postgres', 6, 958234955, 1101, '2026-11-28 01:35:39.125272+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000105","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T01:35:39.085Z","data":{"index":5}}');
INSERT INTO public.bus_events VALUES ('on-postgres', 7, 958234955, 1284, '2026-11-28 01:35:39.125272+00', 'build.started', '{"id":"00000000-0000-4000-8000-000000000106","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.started","time":"2026-11-28T01:35:39.085Z","data":{"index":6}}');
INSERT INTO public.bus_events VALUES ('on-postgres', 8, 958234955, 1468, '2026-11-28 01:35:39.125272+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000107","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T01:35:39.085Z","data":{"index":7}}');
INSERT INTO public.bus_events VALUES ('on-postgres', 9, 958234955, 1651, '2026-11-28 01:35:39.125272+00', 'build.started', '{"id":"00000000-0000-4000-8000-000000000108","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.started","time":"2026-11-28T01:35:39.085Z","data":{"index":8}}');
INSERT INTO public.bus_events VALUES ('on-postgres', 10, 958234955, 1835, '2026-11-28 01:35:39.125272+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000109","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T01:35:39.085Z","data":{"index":9}}');
INSERT INTO public.bus_events VALUES ('on-postgres', 11, 958234955, 2019, '2026-11-28 01:35:39.125272+00', 'build.started', '{"id":"00000000-0000-4000-8000-000000000110","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.started","time":"2026-11-28T01:35:39.085Z","data":{"index":10}}');
INSERT INTO public.bus_events VALUES ('on-postgres', 12, 958234955, 2204, '2026-11-28 01:35:39.125272+00', 'build.finished', '{"id":"00000000-0000-4000-8000-000000000111","namespace":"on-postgres","source":"/agents/on-postgres/ada","topic":"build.finished","time":"2026-11-28T01:35:39.085Z","data":{"index":11}}');

INSERT INTO public.bus_groups VALUES ('on-postgres', 'testers', '{build.*}', 3600000, 2, '183da35bb86d', 4, 958234955, 1);

INSERT INTO public.bus_logs VALUES ('on-postgres', '183da35bb86d', 12, 958234955, 2204, 0, 0, 0, 0);

INSERT INTO public.bus_topics VALUES ('on-postgres', 'build.finished', 6, 29930495, 6, 0, 12, 958234955);
INSERT INTO public.bus_topics VALUES ('on-postgres', 'build.started', 6, 29930495, 6, 0, 11, 958234955);

INSERT INTO public.changes VALUES ('on-redis', 1, 'ada', 'registered', NULL, '{"id": "01a21fcb-103b-74ba-933a-0305dd3318c3", "name": "ada", "role": "coder", "labels": {"team": "core"}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "revision": 1, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T01:35:31.397Z", "description": null, "incarnation": "00000000-0000-4000-8000-000000000001", "capabilities": [{"id": "write"}], "registeredAt": "2026-11-28T01:35:31.397Z", "specRevision": 1}', '2026-11-28 01:35:31.397+00');
INSERT INTO public.changes VALUES ('on-redis', 2, 'ada', 'updated', '{"id": "01a21fcb-103b-74ba-933a-0305dd3318c3", "name": "ada", "role": "coder", "labels": {"team": "core"}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "revision": 1, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T01:35:31.397Z", "description": null, "incarnation": "00000000-0000-4000-8000-000000000001", "capabilities": [{"id": "write"}], "registeredAt": "2026-11-28T01:35:31.397Z", "specRevision": 1}', '{"id": "01a21fcb-103b-74ba-933a-0305dd3318c3", "name": "ada", "role": "coder", "labels": {"team": "core"}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": "2026-11-28T01:35:31.397Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.1.0", "revision": 2, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T01:35:31.462Z", "description": null, "incarnation": "00000000-0000-4000-8000-000000000001", "capabilities": [{"id": "write"}], "registeredAt": "2026-11-28T01:35:31.397Z", "specRevision": 2}', '2026-11-28 01:35:31.462+00');
INSERT INTO public.changes VALUES ('on-redis', 3, 'bob', 'registered', NULL, '{"id": "01a21fcb-1094-743a-9a2a-e7ec549324d5", "name": "bob", "role": "qa", "labels": {}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "revision": 3, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T01:35:31.486Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T01:35:31.486Z", "specRevision": 3}', '2026-11-28 01:35:31.486+00');
INSERT INTO public.changes VALUES ('on-redis', 4, 'gone', 'registered', NULL, '{"id": "01a21fcb-10ac-763b-be6f-3af268197c46", "name": "gone", "role": "qa", "labels": {}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "revision": 4, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T01:35:31.508Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T01:35:31.508Z", "specRevision": 4}', '2026-11-28 01:35:31.508+00');
INSERT INTO public.changes VALUES ('on-redis', 5, 'gone', 'deregistered', '{"id": "01a21fcb-10ac-763b-be6f-3af268197c46", "name": "gone", "role": "qa", "labels": {}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "revision": 4, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T01:35:31.508Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T01:35:31.508Z", "specRevision": 4}', '{"id": "01a21fcb-10ac-763b-be6f-3af268197c46", "name": "gone", "role": "qa", "labels": {}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": "2026-11-28T01:35:31.508Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "revision": 5, "healthUrl": null, "namespace": "on-redis", "updatedAt": "2026-11-28T01:35:31.560Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T01:35:31.508Z", "specRevision": 4}', '2026-11-28 01:35:31.56+00');
INSERT INTO public.changes VALUES ('on-postgres', 1, 'ada', 'registered', NULL, '{"id": "01a21fcb-2bfb-7131-9210-add66378c51e", "name": "ada", "role": "coder", "labels": {"team": "core"}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "revision": 1, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T01:35:38.585Z", "description": null, "incarnation": "00000000-0000-4000-8000-000000000001", "capabilities": [{"id": "write"}], "registeredAt": "2026-11-28T01:35:38.585Z", "specRevision": 1}', '2026-11-28 01:35:38.585+00');
INSERT INTO public.changes VALUES ('on-postgres', 2, 'ada', 'updated', '{"id": "01a21fcb-2bfb-7131-9210-add66378c51e", "name": "ada", "role": "coder", "labels": {"team": "core"}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "revision": 1, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T01:35:38.585Z", "description": null, "incarnation": "00000000-0000-4000-8000-000000000001", "capabilities": [{"id": "write"}], "registeredAt": "2026-11-28T01:35:38.585Z", "specRevision": 1}', '{"id": "01a21fcb-2bfb-7131-9210-add66378c51e", "name": "ada", "role": "coder", "labels": {"team": "core"}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": "2026-11-28T01:35:38.585Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.1.0", "revision": 2, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T01:35:38.639Z", "description": null, "incarnation": "00000000-0000-4000-8000-000000000001", "capabilities": [{"id": "write"}], "registeredAt": "2026-11-28T01:35:38.585Z", "specRevision": 2}', '2026-11-28 01:35:38.639+00');
INSERT INTO public.changes VALUES ('on-postgres', 3, 'bob', 'registered', NULL, '{"id": "01a21fcb-2c94-77ff-b996-f16524c7eefd", "name": "bob", "role": "qa", "labels": {}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "revision": 3, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T01:35:38.655Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T01:35:38.655Z", "specRevision": 3}', '2026-11-28 01:35:38.655+00');
INSERT INTO public.changes VALUES ('on-postgres', 4, 'gone', 'registered', NULL, '{"id": "01a21fcb-2ca3-7020-b258-5b5d2466355f", "name": "gone", "role": "qa", "labels": {}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "revision": 4, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T01:35:38.663Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T01:35:38.663Z", "specRevision": 4}', '2026-11-28 01:35:38.663+00');
INSERT INTO public.changes VALUES ('on-postgres', 5, 'gone', 'deregistered', '{"id": "01a21fcb-2ca3-7020-b258-5b5d2466355f", "name": "gone", "role": "qa", "labels": {}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": null, "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "revision": 4, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T01:35:38.663Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T01:35:38.663Z", "specRevision": 4}', '{"id": "01a21fcb-2ca3-7020-b258-5b5d2466355f", "name": "gone", "role": "qa", "labels": {}, "status": {"health": "unknown", "reason": null, "circuit": "closed", "activity": "ready", "lastSeenAt": "2026-11-28T01:35:38.663Z", "circuitOpenUntil": null, "consecutiveFailures": 0}, "topics": {"publishes": [], "subscribes": []}, "version": "1.0.0", "revision": 5, "healthUrl": null, "namespace": "on-postgres", "updatedAt": "2026-11-28T01:35:38.674Z", "description": null, "incarnation": null, "capabilities": [], "registeredAt": "2026-11-28T01:35:38.663Z", "specRevision": 4}', '2026-11-28 01:35:38.674+00');

INSERT INTO public.incarnations VALUES ('on-redis', 'ada', '00000000-0000-4000-8000-000000000001', NULL, '2026-11-28 01:35:31.462+00');
INSERT INTO public.incarnations VALUES ('on-postgres', 'ada', '00000000-0000-4000-8000-000000000001', NULL, '2026-11-28 01:35:38.639+00');

INSERT INTO public.namespaces VALUES ('on-redis', 5, 0);
INSERT INTO public.namespaces VALUES ('on-postgres', 5, 0);

INSERT INTO public.policies VALUES ('on-redis', 1, '{"roles": {"qa": {"publish": ["task.{name}.>", "agent.*.inbox.>", "test.>", "review.>"], "subscribe": ["task.{name}.>", "agent.{name}.inbox.>", "plan.>", "test.>", "review.>", "code.>", "build.>"], "denyPublish": ["task.{name}.assigned"]}, "coder": {"publish": [">"], "subscribe": [">"]}, "worker": {"publish": ["task.{name}.>", "agent.*.inbox.>"], "subscribe": ["task.{name}.>", "agent.{name}.inbox.>", "plan.>"], "denyPublish": ["task.{name}.assigned"]}, "observer": {"publish": [], "subscribe": [">"]}, "architect": {"publish": ["goal.>", "plan.>", "task.*.assigned", "task.*.cancelled", "architect.{name}.>", "agent.*.inbox.>"], "subscribe": ["goal.>", "plan.>", "task.>", "architect.>", "system.>", "agent.{name}.inbox.>"]}}, "default": {"publish": [], "subscribe": ["agent.{name}.inbox.>"]}}', '2026-11-28 01:35:32.193796+00');
INSERT INTO public.policies VALUES ('on-postgres', 1, '{"roles": {"qa": {"publish": ["task.{name}.>", "agent.*.inbox.>", "test.>", "review.>"], "subscribe": ["task.{name}.>", "agent.{name}.inbox.>", "plan.>", "test.>", "review.>", "code.>", "build.>"], "denyPublish": ["task.{name}.assigned"]}, "coder": {"publish": [">"], "subscribe": [">"]}, "worker": {"publish": ["task.{name}.>", "agent.*.inbox.>"], "subscribe": ["task.{name}.>", "agent.{name}.inbox.>", "plan.>"], "denyPublish": ["task.{name}.assigned"]}, "observer": {"publish": [], "subscribe": [">"]}, "architect": {"publish": ["goal.>", "plan.>", "task.*.assigned", "task.*.cancelled", "architect.{name}.>", "agent.*.inbox.>"], "subscribe": ["goal.>", "plan.>", "task.>", "architect.>", "system.>", "agent.{name}.inbox.>"]}}, "default": {"publish": [], "subscribe": ["agent.{name}.inbox.>"]}}', '2026-11-28 01:35:38.808414+00');

INSERT INTO public.swarm_migrations VALUES ('20261122-bus', '2026-11-28T01:35:30.393Z');
INSERT INTO public.swarm_migrations VALUES ('20261122-policies', '2026-11-28T01:35:30.401Z');
INSERT INTO public.swarm_migrations VALUES ('20261122-registry', '2026-11-28T01:35:30.448Z');
INSERT INTO public.swarm_migrations VALUES ('20261123-liveness', '2026-11-28T01:35:30.462Z');
INSERT INTO public.swarm_migrations VALUES ('20261124-circuit-news', '2026-11-28T01:35:30.476Z');
INSERT INTO public.swarm_migrations VALUES ('20261125-shown-circuits', '2026-11-28T01:35:30.479Z');

INSERT INTO public.swarm_migrations_lock VALUES ('migration_lock', 0);

INSERT INTO public.token_epoch VALUES (true, 0);

INSERT INTO public.tokens VALUES ('\x2604ff24fd8fc3018399f7f836cc1729b0d73317646ee23be707f712cd22e7ae', '01a21fcb-103b-74ba-9339-ff4ce4de5b42', 'agent', 'on-redis', 'ada', NULL, '01a21fcb-103b-74ba-933a-0305dd3318c3', '00000000-0000-4000-8000-000000000001', '2026-11-28 01:35:31.397+00', NULL, NULL, 0, NULL);
INSERT INTO public.tokens VALUES ('\x3fe08915f41242a4219a1c02d3fa67727100014b6a07b14859ef6492c373c8de', '01a21fcb-1094-743a-9a2a-e10e3ea78fb3', 'agent', 'on-redis', 'bob', NULL, '01a21fcb-1094-743a-9a2a-e7ec549324d5', NULL, '2026-11-28 01:35:31.486+00', NULL, NULL, 0, NULL);
INSERT INTO public.tokens VALUES ('\x826777f1b9ca0a8bbb1c6bcb51bafa4d05dde5853c5035fc9307b072d6952613', '01a21fcb-11f6-778d-a3c1-39e36773cfcf', 'join', 'on-redis', 'ci', '["qa"]', NULL, NULL, '2026-11-28 01:35:31.834392+00', NULL, NULL, 0, NULL);
INSERT INTO public.tokens VALUES ('\x0d4b9fe9dee8d5e0439920d99c80177d410817bde3917d2095a7ee095a016919', '01a21fcb-2bfb-7131-9210-ab4902309976', 'agent', 'on-postgres', 'ada', NULL, '01a21fcb-2bfb-7131-9210-add66378c51e', '00000000-0000-4000-8000-000000000001', '2026-11-28 01:35:38.585+00', NULL, NULL, 0, NULL);
INSERT INTO public.tokens VALUES ('\x9bf416626c01f73f2c2e14944dc8c94fcaeb18aa1d3209f80c2a44145efbcd99', '01a21fcb-2c94-77ff-b996-ee8178e8edb6', 'agent', 'on-postgres', 'bob', NULL, '01a21fcb-2c94-77ff-b996-f16524c7eefd', NULL, '2026-11-28 01:35:38.655+00', NULL, NULL, 0, NULL);
INSERT INTO public.tokens VALUES ('\xdce742e4b3452cbb0176bcf660db0bbd99fd3046b959354dfa48ded44c7b5049', '01a21fcb-2cbe-7453-b0cd-f62d68c1b7b4', 'join', 'on-postgres', 'ci', '["qa"]', NULL, NULL, '2026-11-28 01:35:38.695213+00', NULL, NULL, 0, NULL);

ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_pkey PRIMARY KEY (namespace, name);

ALTER TABLE ONLY public.bus_dedup
    ADD CONSTRAINT bus_dedup_pkey PRIMARY KEY (namespace, source, id);

ALTER TABLE ONLY public.bus_deliveries
    ADD CONSTRAINT bus_deliveries_pkey PRIMARY KEY (namespace, group_name, seq, nonce, epoch);

ALTER TABLE ONLY public.bus_events
    ADD CONSTRAINT bus_events_pkey PRIMARY KEY (namespace, seq);

ALTER TABLE ONLY public.bus_groups
    ADD CONSTRAINT bus_groups_pkey PRIMARY KEY (namespace, name);

ALTER TABLE ONLY public.bus_logs
    ADD CONSTRAINT bus_logs_pkey PRIMARY KEY (namespace);

ALTER TABLE ONLY public.bus_topics
    ADD CONSTRAINT bus_topics_pkey PRIMARY KEY (namespace, topic);

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT changes_pkey PRIMARY KEY (namespace, revision);

ALTER TABLE ONLY public.circuit_news
    ADD CONSTRAINT circuit_news_pkey PRIMARY KEY (namespace, revision);

ALTER TABLE ONLY public.duties
    ADD CONSTRAINT duties_pkey PRIMARY KEY (duty);

ALTER TABLE ONLY public.incarnations
    ADD CONSTRAINT incarnations_pkey PRIMARY KEY (namespace, name, incarnation);

ALTER TABLE ONLY public.namespaces
    ADD CONSTRAINT namespaces_pkey PRIMARY KEY (namespace);

ALTER TABLE ONLY public.policies
    ADD CONSTRAINT policies_pkey PRIMARY KEY (namespace);

ALTER TABLE ONLY public.swarm_migrations_lock
    ADD CONSTRAINT swarm_migrations_lock_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.swarm_migrations
    ADD CONSTRAINT swarm_migrations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.token_epoch
    ADD CONSTRAINT token_epoch_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (hash);

CREATE INDEX agents_by_role ON public.agents USING btree (namespace, ((doc ->> 'role'::text)), name);

CREATE INDEX agents_by_term ON public.agents USING gin (facets, search);

CREATE INDEX agents_to_probe ON public.agents USING btree (probe_at NULLS FIRST) WHERE (jsonb_typeof((doc -> 'healthUrl'::text)) = 'string'::text);

CREATE INDEX agents_with_circuit ON public.agents USING btree (namespace, name) WHERE ((doc #>> '{status,circuit}'::text[]) <> 'closed'::text);

CREATE INDEX agents_with_liveness ON public.agents USING btree (namespace, name) WHERE (liveness IS NOT NULL);

CREATE INDEX bus_dedup_by_age ON public.bus_dedup USING btree (at);

CREATE INDEX bus_deliveries_by_death ON public.bus_deliveries USING btree (namespace, group_name, ordinal) WHERE (state = 'dead'::text);

CREATE INDEX bus_deliveries_by_time ON public.bus_deliveries USING btree (namespace, group_name, state, due_at, seq) WHERE (state <> 'dead'::text);

CREATE INDEX bus_deliveries_of_consumers ON public.bus_deliveries USING btree (namespace, group_name, consumer) WHERE (state = 'in_flight'::text);

CREATE INDEX changes_by_name ON public.changes USING btree (namespace, name, revision);

CREATE INDEX tokens_of_agents ON public.tokens USING btree (namespace, name) WHERE (kind = 'agent'::text);

CREATE UNIQUE INDEX tokens_of_operators ON public.tokens USING btree (id) WHERE (kind <> 'agent'::text);

CREATE TRIGGER changes_of_circuits AFTER INSERT ON public.changes FOR EACH ROW WHEN (((new.change = 'status'::text) AND ((new.before #>> '{status,circuit}'::text[]) IS DISTINCT FROM (new.after #>> '{status,circuit}'::text[])))) EXECUTE FUNCTION public.note_circuit();

