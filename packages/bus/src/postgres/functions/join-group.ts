// Opens a consumer group.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * The state and cursor of a group. A group that does not exist is made at the log's head (`latest`), before its oldest event
 * (`earliest`), or at a `position` from which the log can be read; `created` is true then. `refused` instead of both: `deleted` when the group with the id `p_group_id` was deleted; `absent` when there is no group and no
 * topics are given; `namespace` or `agent` when there are as many groups as the namespace or the agent may have. Limits are null where
 * there are none. They are counted under the lock of the log, so two calls do not both take the last place.
 */
export const joinGroup = sql`
  create or replace function bus_join_group(
    p_namespace text, p_name text, p_topics text[], p_ack_deadline_ms bigint, p_max_deliveries integer, p_from text,
    p_epoch text, p_seq bigint, p_nonce bigint,
    p_group_id text, p_source text, p_agent text, p_owns boolean, p_in_namespace bigint, p_of_agent bigint)
  returns table (
    refused text, state json, cursor_epoch text, cursor_seq bigint, cursor_nonce integer, created boolean)
  language plpgsql
  ${BY_KEYS}
  as $$
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
          if created then
            perform bus_begin_group(p_namespace, p_name);
          end if;
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
  end $$`;
