// What operators do with a consumer group: pause, resume, update, seek and delete.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * p_how: `pause` with { reason, by }, `resume`, or `update` with any of { topics, ackDeadlineMs, maxDeliveries }. No row: there is no
 * such group. `changed` is false when it was so before.
 */
export const steerGroup = sql`
  create or replace function bus_steer_group(p_namespace text, p_name text, p_how text, p_with jsonb)
  returns table (changed boolean, state json)
  language plpgsql
  ${BY_KEYS}
  as $$
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
      if v_group.topics <> v_before.topics then
        perform bus_note_read(v_before);
      end if;
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
  end $$`;

/**
 * Moves the cursor of a group to the head (`latest`), before the oldest event (`earliest`), or to a position. First it releases up to
 * `p_most` events in flight or waiting; when there are more, `more` is true and the cursor stays. `not_there`: the position is not of
 * the log that there is. What is released leaves a record in the journal, if `p_journal`. `was` and `is` are { epoch, seq, nonce }. No
 * row: there is no such group.
 */
export const seekGroup = sql`
  create or replace function bus_move_cursor(
    p_namespace text, p_name text, p_to text, p_epoch text, p_seq bigint, p_nonce bigint, p_most bigint, p_journal boolean)
  returns table (not_there boolean, more boolean, dropped bigint, state json, was json, "is" json)
  language plpgsql
  ${BY_KEYS}
  as $$
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
    v_at := clock_timestamp();
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
      with gone as (
        delete from bus_deliveries d where d.ctid = any(array(
          select d.ctid from bus_deliveries d
          where d.namespace = p_namespace and d.group_name = p_name and d.state in ('in_flight', 'waiting') limit p_most))
        returning epoch, seq, nonce, attempt, consumer, delivered_at
      ),
      kept as (
        insert into bus_settled (
          journal, group_number, seq, nonce, life, attempt, delivered_at, settled_at, how, by)
        select j.number, v_group.number, d.seq, d.nonce, v_group.lives + v_group.deaths, d.attempt,
          case when d.attempt > 0 then d.delivered_at end, v_at, 'd', case when d.attempt > 0 then bus_journal_name(d.consumer) end
        from gone d join bus_journals j on j.namespace = p_namespace and j.epoch = d.epoch
        where p_journal
        on conflict (journal, seq, group_number, nonce) do update set settled_at = excluded.settled_at,
          delivered_at = excluded.delivered_at, life = excluded.life, attempt = excluded.attempt, by = excluded.by
        where bus_settled.how = 'd'
      )
      select count(*) into dropped from gone;
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
    v_life := bus_next_life(p_namespace, p_name);
    perform bus_note_seek(v_group, v_log.epoch, v_seq, v_life);
    if v_group.cursor_epoch <> v_log.epoch then
      -- What the group holds is of a log that was lost, and no event of this one.
      v_group.cursor_epoch := v_log.epoch;
      v_group.cursor_seq := 0;
      v_group.cursor_nonce := 0;
    end if;
    if v_seq < v_group.cursor_seq then
      update bus_groups g set cursor_epoch = v_group.cursor_epoch, cursor_seq = v_group.cursor_seq,
        cursor_nonce = v_group.cursor_nonce, replay_epoch = v_log.epoch, replay_seq = v_seq, replay_nonce = v_nonce,
        replay_life = v_life, open_life = v_life
      where g.namespace = p_namespace and g.name = p_name;
    else
      update bus_groups g set cursor_epoch = v_log.epoch, cursor_seq = v_seq, cursor_nonce = v_nonce, replay_epoch = null,
        open_life = v_life
      where g.namespace = p_namespace and g.name = p_name;
    end if;
    state := bus_group_state(v_group);
    return next;
  end $$`;

/** Seeks for a replica of the release before. */
export const seekOfRelease4 = sql`
  create or replace function bus_seek_group(
    p_namespace text, p_name text, p_to text, p_epoch text, p_seq bigint, p_nonce bigint, p_most bigint, p_ranges integer)
  returns table (not_there boolean, more boolean, dropped bigint, state json, was json, "is" json)
  language sql
  as $$ select * from bus_move_cursor(p_namespace, p_name, p_to, p_epoch, p_seq, p_nonce, p_most, true) $$`;

/**
 * Removes a group with everything that it holds, and keeps its id as that of a group that was deleted. One call removes at most
 * `p_most` of its events. When there are more, `more` is true, and the group is paused until the call that removes it. No row: there
 * is no such group.
 */
export const deleteGroup = sql`
  create or replace function bus_delete_group(p_namespace text, p_name text, p_most bigint, p_deleted bigint)
  returns table (more boolean, state json)
  language plpgsql
  ${BY_KEYS}
  as $$
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
    delete from bus_passes p where p.group_number = v_group.number;
    insert into bus_deleted_groups (namespace, id, at) values (p_namespace, v_group.id, clock_timestamp());
    delete from bus_deleted_groups d where d.namespace = p_namespace and d.at < (
      select o.at from bus_deleted_groups o where o.namespace = p_namespace order by o.at desc offset p_deleted - 1 limit 1);
    return next;
  end $$`;

/**
 * Removes the group of this id if it holds nothing, is not paused, and its cursor is at the head of the log, which no append moves
 * meanwhile. Whether it was removed. Its id is not kept.
 */
export const removeIdleGroup = sql`
  create or replace function bus_remove_idle_group(p_namespace text, p_name text, p_id text) returns boolean
  language plpgsql
  ${BY_KEYS}
  as $$
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
    delete from bus_passes p where p.group_number = v_group.number;
    return true;
  end $$`;
