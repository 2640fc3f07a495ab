// Makes the logs that do not exist yet.
import { sql } from 'kysely';

/**
 * Makes the logs of `p_namespaces` that do not exist, and the journal of each. A statement that runs after this one sees them,
 * whichever replica made them.
 */
export const openLogs = sql`
  create or replace function bus_open_logs(p_namespaces text[]) returns void
  language sql
  as $$
    with opened as (
      insert into bus_logs (namespace, epoch)
      select n.namespace, left(replace(gen_random_uuid()::text, '-', ''), 12)
      from (select distinct namespace collate "C" as namespace from unnest(p_namespaces) as u(namespace)) n
      where not exists (select from bus_logs l where l.namespace = n.namespace)
      order by n.namespace
      on conflict do nothing
      returning namespace, epoch
    )
    insert into bus_journals (namespace, epoch) select o.namespace, o.epoch from opened o
  $$`;
