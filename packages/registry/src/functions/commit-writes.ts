// Commits every change of an agent.
import { sql } from 'kysely';

/**
 * Commits a group of writes to one namespace, each only if its agent is still at the revision that it was decided on, and its name
 * is still tripped by an operator, or still is not. A trip is written under the same lock, so no registration misses it. A replica
 * of a release without trips says nothing of them, and its writes are not compared.
 *
 * The counter row is locked first, so revisions become visible in their order. The statement after the lock has a snapshot of its
 * own (READ COMMITTED), so it sees what the previous holder of the lock committed. The call is one round trip: a client that
 * stops cannot hold the lock. Returns a row for every write that was applied; a write without `change` only adds tokens and takes
 * no revision.
 *
 * A session plans the statements once, perhaps while the tables are empty, and keeps the plans. So they look up rows by whole
 * keys, whatever the planner believes; plans that read a whole namespace for each group made the function 5 times slower at
 * 10,000 agents, and slower with each more. Rare cases (an agent is removed or taken over) are handled row by row after the
 * common part. Agents are written in the order of their names, as in every statement that writes many: two that overlap wait for
 * each other and cannot deadlock.
 *
 * When the activity of an agent changed is noted here, since the commit knows the time. A core of the release before knows neither
 * that nor leases of agents and notes, and its writes leave them as they were.
 *
 * Which token registered an agent is noted once. A core of the release before names none, and its writes leave what is noted.
 *
 * p_writes: [{ ord, name, id, expected, change, doc, spec, seen, tripped, memory, facets, words, incarnation,
 *   tokens: [{ hash, id }], registered_by, own_only }]
 */
export const commitWrites = sql`
  create or replace function commit_writes(p_namespace text, p_writes jsonb, p_changes boolean)
  returns table (ord integer, revision bigint, at timestamptz)
  language plpgsql
  set enable_seqscan = off
  as $$
  #variable_conflict use_column
  declare
    v_head bigint := 0;
    v_at timestamptz;
    v_row record;
  begin
    if p_changes then
      select n.revision into v_head from namespaces n where n.namespace = p_namespace for update;
      if not found then
        insert into namespaces (namespace) values (p_namespace) on conflict do nothing;
        select n.revision into v_head from namespaces n where n.namespace = p_namespace for update;
      end if;
    end if;
    v_at := date_trunc('milliseconds', clock_timestamp());

    for v_row in
    with writes as materialized (
      select w.*, a.doc as before, a.incarnation as was, a.registered_by as owner,
        case when w.change is not null
          then v_head + row_number() over (partition by w.change is null order by w.ord) end as revision
      from jsonb_to_recordset(p_writes) as w(
        ord integer, name text, id uuid, expected bigint, change text, doc jsonb, spec boolean, seen boolean,
        tripped boolean, memory jsonb, facets text[], words text[], incarnation uuid, tokens jsonb,
        registered_by text, own_only boolean)
      left join lateral (
        select doc, revision, incarnation, registered_by from agents where namespace = p_namespace and name = w.name limit 1
      ) a on true
      where a.revision is not distinct from w.expected
        and (w.own_only is not true or a.registered_by is null or a.registered_by = w.registered_by)
        and (w.tripped is null or w.tripped = exists (
          select from operator_holds h where h.namespace = p_namespace and h.name = w.name and h.hold = 'trip'
        ))
    ),
    stamped as materialized (
      select w.*, w.change in ('deregistered', 'expired') as removes,
        w.doc || (
          jsonb_build_object('revision', w.revision, 'updatedAt', s.at)
          || case when w.spec then jsonb_build_object('specRevision', w.revision) else '{}' end
          || case when w.change = 'registered' then jsonb_build_object('registeredAt', s.at) else '{}' end
          || case when w.doc ? 'leaseMs' then '{}' else jsonb_build_object('leaseMs', w.before -> 'leaseMs') end
          || jsonb_build_object('status', w.doc -> 'status'
            || jsonb_build_object('activitySince', case
              when w.before is null or w.was is distinct from w.incarnation
                or w.before #> '{status,activity}' <> w.doc #> '{status,activity}' then s.at
              else coalesce(w.before #>> '{status,activitySince}', w.before ->> 'updatedAt') end)
            || case when w.doc -> 'status' ? 'note' then '{}'
              when w.was is distinct from w.incarnation then '{"note": null}'
              else jsonb_build_object('note', w.before #> '{status,note}') end)
        ) as after
      from writes w
      cross join (select to_char(v_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at) s
      where w.change is not null
    ),
    logged as (
      insert into changes (namespace, revision, name, change, before, after, at)
      select p_namespace, s.revision, s.name, s.change, s.before, s.after, v_at from stamped s
    ),
    stored as (
      insert into agents as a (
        namespace, name, id, doc, revision, incarnation, last_seen_at, lease_ms, liveness, facets, search,
        registered_by)
      select p_namespace, s.name, s.id, s.after, s.revision, s.incarnation, case when s.seen then v_at end,
        (s.after ->> 'leaseMs')::integer, nullif(s.memory, 'null'::jsonb), s.facets, array_to_tsvector(s.words), s.registered_by
      from stamped s where not s.removes
      order by s.name collate "C"
      on conflict (namespace, name) do update set
        id = excluded.id, doc = excluded.doc, revision = excluded.revision, incarnation = excluded.incarnation,
        last_seen_at = greatest(a.last_seen_at, excluded.last_seen_at), lease_ms = excluded.lease_ms,
        liveness = coalesce(excluded.liveness, a.liveness),
        facets = excluded.facets, search = excluded.search,
        registered_by = coalesce(a.registered_by, excluded.registered_by)
    ),
    seen as (
      insert into incarnations (namespace, name, incarnation, seen_at)
      select p_namespace, s.name, s.incarnation, v_at
      from stamped s where s.incarnation is not null
      on conflict (namespace, name, incarnation) do update set
        seen_at = excluded.seen_at, superseded_at = null
    ),
    issued as (
      insert into tokens (hash, id, kind, namespace, name, agent_id, incarnation, created_at)
      select decode(t.hash, 'hex'), t.id, 'agent', p_namespace, w.name, w.id, w.incarnation, v_at
      from writes w cross join lateral jsonb_to_recordset(w.tokens) as t(hash text, id uuid)
    ),
    advanced as (
      update namespaces n set revision = v_head + c.count
      from (select count(*) as count from stamped) c
      where p_changes and n.namespace = p_namespace and c.count > 0
    )
    select w.ord, w.revision, w.name, w.change, w.was, w.incarnation, w.registered_by, w.owner from writes w
    order by w.name collate "C"
    loop
      if v_row.change in ('deregistered', 'expired') then
        delete from agents where namespace = p_namespace and name = v_row.name;
        delete from tokens
        where kind = 'agent' and namespace = p_namespace and name = v_row.name and fenced_at is null;
        insert into removed_names as r (namespace, name, removed_at) values (p_namespace, v_row.name, v_at)
        on conflict (namespace, name) do update set removed_at = excluded.removed_at;
      elsif v_row.change = 'registered' then
        delete from removed_names where namespace = p_namespace and name = v_row.name;
        update incarnations set superseded_at = v_at
        where namespace = p_namespace and name = v_row.name
          and incarnation is distinct from v_row.incarnation and superseded_at is null;
        if found then perform forget_oldest_processes(p_namespace, v_row.name); end if;
      elsif v_row.change is not null and v_row.incarnation is distinct from v_row.was then
        update incarnations set superseded_at = v_at
        where namespace = p_namespace and name = v_row.name
          and incarnation <> v_row.incarnation and superseded_at is null;
        update tokens set fenced_at = v_at
        where kind = 'agent' and namespace = p_namespace and name = v_row.name and fenced_at is null
          and incarnation is distinct from v_row.incarnation;
        perform forget_oldest_processes(p_namespace, v_row.name);
      elsif v_row.change is null and v_row.owner is null and v_row.registered_by is not null then
        update agents set registered_by = v_row.registered_by
        where namespace = p_namespace and name = v_row.name and registered_by is null;
      end if;
      ord := v_row.ord;
      revision := v_row.revision;
      at := v_at;
      return next;
    end loop;
  end $$`;
