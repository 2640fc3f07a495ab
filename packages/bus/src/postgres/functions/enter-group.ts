// Begins every operation on a consumer group: locks it, and judges which deadlines have passed.
import { DEADLINE_PASSED } from '@hypercode/contracts';
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * Locks the group, reads the clock, and moves deliveries whose deadline has passed to `waiting` or `dead`: the oldest 2,000,
 * because a statement that moved more could exceed its time limit each time and block the group forever. `entered_at` is null
 * when there is no such group.
 */
export const enterGroup = sql`
  create or replace function bus_enter_group(p_namespace text, p_name text, out entered bus_groups, out entered_at timestamptz)
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_died bigint;
    v_bytes bigint[];
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
        select p.row, p.dies, p.consumer, p.bytes,
          entered.deaths + row_number() over (partition by p.dies order by p.due_at, p.seq) as ordinal
        from (
          select d.ctid as row, d.attempt >= entered.max_deliveries as dies, d.due_at, d.seq, d.consumer,
            octet_length(d.text) as bytes
          from bus_deliveries d
          where d.namespace = p_namespace and d.group_name = p_name and d.state = 'in_flight' and d.due_at <= entered_at
          order by d.due_at, d.seq limit 2000
        ) p
      ),
      moved as (
        update bus_deliveries d set
          state = case when p.dies then 'dead' else 'waiting' end,
          passed = true,
          history = bus_with_attempt(d.history, bus_attempt(d, d.due_at, null)),
          ordinal = case when p.dies then p.ordinal end,
          dead_at = case when p.dies then entered_at end
        from passed p where d.ctid = p.row
      ),
      missed as (
        insert into bus_members (namespace, group_name, consumer, sign_at, missed)
        select p_namespace, p_name, p.consumer, 'epoch', count(*) from passed p group by p.consumer
        on conflict (namespace, group_name, consumer) do update set missed = bus_members.missed + excluded.missed
      )
      select count(*), array_agg(p.bytes) into v_died, v_bytes from passed p where p.dies;
      if v_died > 0 then
        perform bus_bury(p_namespace, p_name, v_bytes, array_fill(${sql.lit(DEADLINE_PASSED)}::text, array[v_died::integer]));
        entered.deaths := entered.deaths + v_died;
      end if;
    end if;
  end $$`;
