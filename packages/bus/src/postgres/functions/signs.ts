// What is known of a group's members: their last signs of life, and what they let pass since.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * Members show a sign of life. It is not written when the last one is less than a second old. Of more than 1,000 members, those that
 * showed theirs first are forgotten.
 */
export const showSigns = sql`
  create or replace function bus_show_signs(p_namespace text, p_name text, p_consumers text[], p_at timestamptz) returns void
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_known bigint;
    v_written bigint;
  begin
    select count(*) into v_known from bus_members m
    where m.namespace = p_namespace and m.group_name = p_name and m.consumer = any(p_consumers)
      and m.missed = 0 and m.sign_at > p_at - interval '1 second';
    if v_known = (select count(distinct c) from unnest(p_consumers) c) then
      return;
    end if;
    insert into bus_members (namespace, group_name, consumer, sign_at, missed)
    select distinct p_namespace, p_name, c, p_at, 0 from unnest(p_consumers) c
    on conflict (namespace, group_name, consumer) do update set sign_at = p_at, missed = 0
    where bus_members.missed > 0 or bus_members.sign_at <= p_at - interval '1 second';
    delete from bus_members m using (
      select o.consumer from bus_members o where o.namespace = p_namespace and o.group_name = p_name
      order by o.sign_at desc offset 1000
    ) old
    where m.namespace = p_namespace and m.group_name = p_name and m.consumer = old.consumer;
  end $$`;
