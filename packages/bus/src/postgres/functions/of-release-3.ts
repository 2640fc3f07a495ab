// The functions that replicas of the release before call, as they were there.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * Claims for a replica that knows neither versions nor pauses. It goes on at the furthest position that the group has reached, after
 * which the group holds no event, whatever `bus_hand_out` reads again before it.
 */
export const claimOfRelease3 = sql`
  create or replace function bus_claim(
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
  end $$`;

/** Acknowledges for a replica that does not name lives. */
export const ackOfRelease3 = sql`
  create or replace function bus_ack(p_namespace text, p_name text, p_epochs text[], p_seqs bigint[], p_nonces bigint[])
  returns bigint
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_settled bigint;
    v_had_dead boolean;
  begin
    if (select e.entered_at is null from bus_enter_group(p_namespace, p_name) e) then
      return null;
    end if;
    with settled as (
    delete from bus_deliveries where ctid = any(array(
      select d.row from unnest(p_epochs, p_seqs, p_nonces) as r(epoch, seq, nonce)
      cross join lateral (
        select d.ctid as row from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name
          and d.seq = r.seq and d.nonce = r.nonce and d.epoch = r.epoch
        limit 1
      ) d
    )) returning state = 'dead' as was_dead)
    select count(*), coalesce(bool_or(s.was_dead), false) into v_settled, v_had_dead from settled s;
    -- The next death counts them anew.
    if v_had_dead then
      update bus_groups g set counted_deaths = null where g.namespace = p_namespace and g.name = p_name;
    end if;
    return v_settled;
  end $$`;
