// Bounds what is remembered of one name: its newest 1,000 superseded incarnations and their tokens.
import { sql } from 'kysely';

/**
 * Keeps the newest 1,000 superseded incarnations of a name, and the newest 1,000 of their tokens. Called when one more was
 * superseded, so it reads 1,000 rows of the name at most, and few of nearly every name.
 */
export const forgetOldestProcesses = sql`
  create or replace function forget_oldest_processes(p_namespace text, p_name text) returns void
  language plpgsql
  set enable_seqscan = off
  as $$
  declare
    v_oldest timestamptz;
  begin
    select superseded_at into v_oldest from incarnations
    where namespace = p_namespace and name = p_name and superseded_at is not null
    order by superseded_at desc offset 999 limit 1;
    if found then
      delete from incarnations where namespace = p_namespace and name = p_name and superseded_at < v_oldest;
    end if;
    select fenced_at into v_oldest from tokens
    where kind = 'agent' and namespace = p_namespace and name = p_name and fenced_at is not null
    order by fenced_at desc offset 999 limit 1;
    if found then
      delete from tokens where kind = 'agent' and namespace = p_namespace and name = p_name and fenced_at < v_oldest;
    end if;
  end $$`;
