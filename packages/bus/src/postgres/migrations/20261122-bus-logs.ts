// The functions of the first migration that write logs. Each is one round trip, so a client that stops holds no lock.
import { sql } from 'kysely';

/**
 * All functions are planned once a session, perhaps while the tables are empty, and the plans are kept: rows are to be
 * looked up by their keys whatever the planner believes.
 */
export const BY_KEYS = sql.raw('set enable_seqscan = off set enable_bitmapscan = off');

/** Makes the logs that are not there. The statement after it sees them, whoever made them. */
const openLogs = sql`
  create function bus_open_logs(p_namespaces text[]) returns void
  language sql
  as $$
    insert into bus_logs (namespace, epoch)
    select n.namespace, left(replace(gen_random_uuid()::text, '-', ''), 12)
    from (select distinct namespace collate "C" as namespace from unnest(p_namespaces) as u(namespace)) n
    where not exists (select from bus_logs l where l.namespace = n.namespace)
    order by n.namespace
    on conflict do nothing
  $$`;

/**
 * Why a position can not be gone on from: `retention`, `log_lost`, or null when it can. `p_nonce_there` is that of the
 * event at the position, as the statement that read the log has it.
 */
const gapOf = sql`
  create function bus_gap(p_log bus_logs, p_epoch text, p_seq bigint, p_nonce bigint, p_nonce_there integer) returns text
  language sql immutable
  as $$
    select case
      when p_log.epoch <> p_epoch or p_seq > p_log.head_seq then 'log_lost'
      when p_seq < p_log.horizon_seq then 'retention'
      when p_nonce is distinct from case p_seq
        when p_log.head_seq then p_log.head_nonce
        when p_log.horizon_seq then p_log.horizon_nonce
        else p_nonce_there
      end then 'log_lost'
    end
  $$`;

/**
 * Where the horizon of a log belongs, which the caller has locked: behind what its limits leave no room for. `bytes` of an
 * event counts those of all before it and its own, so nothing is added up again. Goes over at most 10,000 events that are
 * too old or too many bytes; `settled` says whether that was all. The rows stay for `bus_sweep`.
 */
const horizonOf = sql`
  create function bus_horizon(
    p_log bus_logs, p_max_events bigint, p_max_bytes bigint, p_max_age_ms bigint,
    out seq bigint, out nonce integer, out bytes bigint, out settled boolean)
  language plpgsql
  ${BY_KEYS}
  as $$
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
  end $$`;

/**
 * Appends events and says where they, or those that they repeat, stand. The log's row is locked first, so the order of
 * commits is the order of seqs; what follows has snapshots of its own (READ COMMITTED) and a clock that was read after
 * the lock, so it sees what the previous holder did, and times do not run backwards.
 *
 * p_texts: the events' texts with U+001F between them, which stands in no JSON: neither side has to quote anything.
 * Returns one row; \`repeats\` has the places of duplicates, from 1; \`unswept\` is how many rows wait for \`bus_sweep\`;
 * \`nonce_before\` is that of the head before.
 */
const append = sql`
  create function bus_append(
    p_namespace text, p_ids uuid[], p_sources text[], p_topics text[], p_texts text,
    p_window_ms bigint, p_max_events bigint, p_max_bytes bigint, p_max_age_ms bigint)
  returns table (epoch text, seqs bigint[], nonces integer[], repeats integer[], unswept bigint, nonce_before integer)
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
  end $$`;

/** Applies the limits to one log. True when there is nothing left to do. */
const retain = sql`
  create function bus_retain(p_namespace text, p_max_events bigint, p_max_bytes bigint, p_max_age_ms bigint)
  returns boolean
  language plpgsql
  ${BY_KEYS}
  as $$
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
  end $$`;

/**
 * Deletes some of the rows behind a horizon, the oldest first, without the log's lock until the end: appends go on. Two at
 * a time wait for each other's rows, and the second finds them gone. True when none is left.
 */
const sweep = sql`
  create function bus_sweep(p_namespace text, p_max_events bigint, p_max_bytes bigint) returns boolean
  language plpgsql
  ${BY_KEYS}
  as $$
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
  end $$`;

export const LOG_FUNCTIONS = [openLogs, gapOf, horizonOf, append, retain, sweep];
