// The functions of the first migration that write consumer groups. Each is one round trip and holds the group's row.
//
// Deliveries are looked up one by one by their whole key, and then changed where they were found (`ctid`), which nobody else
// can move: left to join, the planner takes an index of the group's state, and reads all of it for each delivery.
import { sql } from 'kysely';
import { BY_KEYS } from './20261122-bus-logs.ts';

/**
 * The group, made unless it is there, at the log's head or horizon; `created` says whether it was made now.
 */
const openGroup = sql`
  create function bus_open_group(
    p_namespace text, p_name text, p_topics text[], p_ack_deadline_ms bigint, p_max_deliveries integer, p_latest boolean)
  returns table (
    topics text[], ack_deadline_ms bigint, max_deliveries integer,
    cursor_epoch text, cursor_seq bigint, cursor_nonce integer, created boolean)
  language plpgsql
  ${BY_KEYS}
  as $$
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
  end $$`;

/** An attempt as a history has it. Times are in milliseconds. */
const attemptOf = sql`
  create function bus_attempt(p_delivery bus_deliveries, p_failed_at timestamptz, p_reason text) returns jsonb
  language sql stable
  as $$
    select jsonb_build_object(
      'attempt', p_delivery.attempt, 'consumer', p_delivery.consumer,
      'deliveredAt', floor(extract(epoch from p_delivery.delivered_at) * 1000)::bigint,
      'failedAt', floor(extract(epoch from p_failed_at) * 1000)::bigint,
      'reason', p_reason)
  $$`;

/**
 * Begins an operation on a group: locks it, reads the clock, and moves what is past its deadline to waiting or dead, the
 * oldest 2,000 of it: were it more than a statement has time for, nobody would ever get in. `entered_at` is null when there is no
 * such group.
 */
const enterGroup = sql`
  create function bus_enter_group(p_namespace text, p_name text, out entered bus_groups, out entered_at timestamptz)
  language plpgsql
  ${BY_KEYS}
  as $$
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
  end $$`;

/**
 * Hands out due events, then those of an offer. `taken` is how many of the offer's were; `due` has
 * [epoch, seq, nonce, life, attempt, text] for each of the others. No row: no such group.
 *
 * p_offer: { epoch, seq, nonce: where it begins; upTo: { epoch, seq, nonce }; count: how many events it has }, or null.
 * p_seqs, p_nonces: its first events, as many as could be taken. Those that are not in the log, nor what is behind them, are
 * not taken: the offer is from before the log lost its end, and the next claim begins where this one leaves the cursor.
 * p_max_bytes: most bytes of due events in one answer.
 */
const claim = sql`
  create function bus_claim(
    p_namespace text, p_name text, p_consumer text, p_max_in_flight bigint, p_max bigint, p_max_bytes bigint,
    p_offer jsonb, p_seqs bigint[], p_nonces integer[])
  returns table (
    taken integer, due json, cursor_epoch text, cursor_seq bigint, cursor_nonce integer, room bigint, next_due_ms bigint,
    gap text, lost bigint)
  language plpgsql
  ${BY_KEYS}
  as $$
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
  end $$`;

/** Settles deliveries, and says how many; null: no such group. */
const ack = sql`
  create function bus_ack(p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[])
  returns bigint
  language plpgsql
  ${BY_KEYS}
  as $$
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
  end $$`;

/** Sends the attempts that are in flight back to waiting, or to the dead after the last; null: no such group. */
const nack = sql`
  create function bus_nack(
    p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[], p_lives bigint[],
    p_attempts bigint[], p_delay_ms bigint, p_reason text)
  returns bigint
  language plpgsql
  ${BY_KEYS}
  as $$
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
  end $$`;

/**
 * Sends dead letters back to waiting, or drops them: those at the positions, or, where these are null, the oldest up to an
 * ordinal, at most so many. Says how many; null: no such group.
 */
const resolveDead = sql`
  create function bus_resolve_dead(
    p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[],
    p_up_to bigint, p_max bigint, p_redrive boolean)
  returns bigint
  language plpgsql
  ${BY_KEYS}
  as $$
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
  end $$`;

export const GROUP_FUNCTIONS = [openGroup, attemptOf, enterGroup, claim, ack, nack, resolveDead];
