// Opens a consumer group for a replica of the release before.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * The settings and cursor of a group. A group that does not exist is made at the log's head, or before its oldest event; `created` is true then.
 */
export const openGroup = sql`
  create or replace function bus_open_group(
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
        case when p_latest then l.head_seq else oldest.seq end,
        case when p_latest then l.head_nonce else oldest.nonce end
      from bus_logs l cross join lateral bus_resume(l, 0, 0, 'log_lost') oldest where l.namespace = p_namespace
      on conflict do nothing;
      v_created := found;
      if v_created then
        perform bus_begin_group(p_namespace, p_name);
      end if;
    end if;
    return query
      select g.topics, g.ack_deadline_ms, g.max_deliveries, g.cursor_epoch, g.cursor_seq, g.cursor_nonce, v_created
      from bus_groups g where g.namespace = p_namespace and g.name = p_name;
  end $$`;
