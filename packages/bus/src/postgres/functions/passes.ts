// How the cursor of a group went over the log: stretches, each of which begins after the one before it.
import { sql } from 'kysely';
import { MAX_PASSES } from '../../store/group-fates.ts';
import { BY_KEYS } from './by-keys.ts';

/** Beyond the last seq of every log: the end of one that was lost. */
const NO_END = sql.raw(String(Number.MAX_SAFE_INTEGER));

/**
 * Notes that the cursor went up to a seq in one way. Nothing when it had been noted up to there. Of more than MAX_PASSES stretches the
 * oldest two become one of which nothing is known. The caller has locked the group.
 */
export const notePass = sql`
  create or replace function bus_note_pass(
    p_number integer, p_epoch text, p_up_to bigint, p_how text, p_topics text[], p_life integer) returns void
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_last bus_passes;
    v_ordinal bigint;
  begin
    select * into v_last from bus_passes p where p.group_number = p_number order by p.ordinal desc limit 1;
    if v_last.epoch = p_epoch and p_up_to <= v_last.up_to then
      return;
    end if;
    if v_last.epoch = p_epoch and v_last.how = p_how and v_last.life = p_life and v_last.topics is not distinct from p_topics then
      update bus_passes p set up_to = p_up_to where p.group_number = p_number and p.ordinal = v_last.ordinal;
      return;
    end if;
    v_ordinal := coalesce(v_last.ordinal, 0) + 1;
    insert into bus_passes (group_number, ordinal, epoch, up_to, how, topics, life)
    values (p_number, v_ordinal, p_epoch, p_up_to, p_how, p_topics, p_life);
    delete from bus_passes p where p.group_number = p_number and p.ordinal <= v_ordinal - ${sql.raw(String(MAX_PASSES))};
    if found then
      update bus_passes p set how = 'unknown', topics = null
      where p.group_number = p_number and p.ordinal = v_ordinal - ${sql.raw(String(MAX_PASSES - 1))};
    end if;
  end $$`;

/** Forgets how the cursor went on from a seq: it has been set back to there. */
export const cutPasses = sql`
  create or replace function bus_cut_passes(p_number integer, p_epoch text, p_seq bigint) returns void
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_last bigint;
  begin
    select p.ordinal into v_last from bus_passes p
    where p.group_number = p_number and p.epoch = p_epoch and p.up_to >= p_seq order by p.ordinal limit 1;
    if found then
      update bus_passes p set up_to = p_seq where p.group_number = p_number and p.ordinal = v_last;
      delete from bus_passes p where p.group_number = p_number and p.ordinal > v_last;
    end if;
  end $$`;

/** The seq at which the cursor stands. */
export const cursorOf = sql`
  create or replace function bus_cursor(p_group bus_groups) returns bigint
  language sql immutable
  as $$
    select case when bus_replays(p_group.cursor_epoch, p_group.cursor_seq, p_group.replay_epoch, p_group.replay_seq)
      then p_group.replay_seq else p_group.cursor_seq end
  $$`;

/** Notes that the cursor has read up to where it stands, under the topics of the group. */
export const noteRead = sql`
  create or replace function bus_note_read(p_group bus_groups) returns void
  language sql
  as $$
    select bus_note_pass(p_group.number, p_group.cursor_epoch, bus_cursor(p_group), 'read', p_group.topics, p_group.open_life)
  $$`;

/** Notes that a group is about to be moved to where the log can be read, and why; to be called before its cursor moves. */
export const noteGap = sql`
  create or replace function bus_note_gap(p_namespace text, p_name text, p_gap text, p_epoch text, p_seq bigint) returns void
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_group bus_groups;
    v_from bigint;
  begin
    select * into v_group from bus_groups g where g.namespace = p_namespace and g.name = p_name;
    v_from := bus_cursor(v_group);
    perform bus_note_read(v_group);
    if v_group.cursor_epoch <> p_epoch then
      perform bus_note_pass(v_group.number, v_group.cursor_epoch, ${NO_END}, 'log_lost', null, v_group.open_life);
      perform bus_note_pass(v_group.number, p_epoch, p_seq, 'log_lost', null, v_group.open_life);
    elsif p_seq > v_from then
      perform bus_note_pass(v_group.number, p_epoch, p_seq, p_gap, null, v_group.open_life);
    else
      perform bus_cut_passes(v_group.number, p_epoch, p_seq);
      update bus_groups g set open_life = g.lives + g.deaths + 1 where g.namespace = p_namespace and g.name = p_name;
    end if;
  end $$`;

/** Notes that a seek is about to move the cursor; p_life is its number. */
export const noteSeek = sql`
  create or replace function bus_note_seek(p_group bus_groups, p_epoch text, p_seq bigint, p_life integer) returns void
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_from bigint := 0;
  begin
    if p_group.cursor_epoch <> p_epoch then
      perform bus_note_read(p_group);
      perform bus_note_pass(p_group.number, p_group.cursor_epoch, ${NO_END}, 'log_lost', null, p_group.open_life);
    else
      v_from := bus_cursor(p_group);
    end if;
    perform bus_note_pass(p_group.number, p_epoch, least(v_from, p_seq), 'read', p_group.topics, p_group.open_life);
    if p_seq > v_from then
      perform bus_note_pass(p_group.number, p_epoch, p_seq, 'seek', null, p_life);
    else
      perform bus_cut_passes(p_group.number, p_epoch, p_seq);
    end if;
  end $$`;

/** Notes where a group begins that was made now. */
export const beginGroup = sql`
  create or replace function bus_begin_group(p_namespace text, p_name text) returns void
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_group bus_groups;
  begin
    update bus_groups g set began_epoch = g.cursor_epoch, began_seq = g.cursor_seq, began_nonce = g.cursor_nonce
    where g.namespace = p_namespace and g.name = p_name returning * into v_group;
    perform bus_note_pass(v_group.number, v_group.cursor_epoch, v_group.cursor_seq, 'before', null, 0);
  end $$`;

/** How the cursor last went over an event, as a CursorPass (store/group-fates.ts); null when it stands before it. */
export const passOver = sql`
  create or replace function bus_pass_over(p_group bus_groups, p_log_epoch text, p_epoch text, p_seq bigint) returns json
  language plpgsql stable
  ${BY_KEYS}
  as $$
  declare
    v_pass bus_passes;
    v_is_there boolean := p_epoch = p_group.cursor_epoch;
  begin
    select * into v_pass from bus_passes p
    where p.group_number = p_group.number and p.epoch = p_epoch and p.up_to >= p_seq order by p.ordinal limit 1;
    if not found then
      if v_is_there and p_seq <= bus_cursor(p_group) then
        return json_build_object('how', 'read', 'topics', p_group.topics, 'life', p_group.open_life);
      elsif v_is_there or p_epoch = p_log_epoch then
        return null;
      end if;
      -- Logs that were lost have no order: whether the group was on one of which nothing is noted is unknown.
      v_pass.how := 'unknown';
      v_pass.life := 0;
    end if;
    return json_build_object('how', v_pass.how, 'topics', v_pass.topics, 'life', v_pass.life);
  end $$`;
