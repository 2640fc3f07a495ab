// Hands out events of a consumer group with their deadlines, in one round trip.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * Hands out due events, then events of the offer. Each of the two has a right to half of the places, and takes what the other
 * leaves. `passed` is the number of events of the offer that the cursor passed, and `passed_over` the places (from 0) of those that
 * were not taken, since the group holds them. Events up to `replay_up_to` are in the life `replay_life`. `due` holds
 * [epoch, seq, nonce, life, attempt, uncounted, text] of each other one. What is handed out is due at `due_at_ms`, since the epoch.
 * `changed` is the state of the group when the offer was made under other settings. `is_silent`: the consumer is silent. `deleted`:
 * the group of the id was deleted. No row: there is no such group.
 *
 * p_group_id: the group that the caller takes part in, or null for the one that has the name.
 * p_offer: { version: of the settings by which it was made; epoch, seq, nonce: where the offer begins; upTo: { epoch, seq, nonce }; count: the number of its events; oddPlace:
 * 'unread' when the place that is left when the places are halved is for the offer }, or null.
 * p_seqs, p_nonces: the events of the offer. From the first event that is not in the log, none
 * is taken: the offer was made before the log lost its end, and the next claim begins where this one leaves the cursor.
 * p_max_bytes: the most bytes of due events in one answer; half of it when events of the offer have places, too.
 */
export const claim = sql`
  create or replace function bus_hand_out(
    p_namespace text, p_name text, p_group_id text, p_consumer text, p_is_sign boolean, p_patience_ms bigint,
    p_max_in_flight bigint, p_max bigint, p_max_bytes bigint, p_offer jsonb, p_seqs bigint[], p_nonces integer[])
  returns table (
    passed integer, passed_over integer[], due json, due_at_ms bigint, cursor_epoch text, cursor_seq bigint,
    cursor_nonce integer, room bigint, next_due_ms bigint, gap text, lost bigint, replay_up_to bigint, replay_life integer,
    is_silent boolean, paused boolean, changed json, deleted boolean)
  language plpgsql
  ${BY_KEYS}
  as $$
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
      perform bus_note_gap(p_namespace, p_name, gap, v_log.epoch, v_log.resume_seq);
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
  end $$`;
