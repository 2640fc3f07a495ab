// A page of a namespace's groups, all of them, or those of all namespaces that agents own (without a namespace), with their figures, as they are now that some deadlines may have passed.
import { type Kysely, sql } from 'kysely';
import type { ReasonCounts } from '../../store/group-deaths.ts';
import type { GroupState } from '../../store/group-store.ts';
import type { BusSchema } from '../schema.ts';

export interface GroupRow {
  namespace: string;
  group: string;
  state: GroupState;
  epoch: string;
  seq: number;
  nonce: number;
  lag: number;
  inFlight: number;
  waiting: number;
  deadLetters: number;
  deadByReason: ReasonCounts;
  oldestDeadAt: number | null;
  oldestUnreadAt: number | null;
  members: number;
  ratePerSecond: number;
}

export async function listGroups(
  db: Kysely<BusSchema>,
  namespace: string | null,
  { after, limit, only = null }: { after: string | null; limit: number | null; only?: string | null } = {
    after: null,
    limit: null,
  },
): Promise<GroupRow[]> {
  const { rows } = await sql<GroupRow>`
    select g.namespace, g.name as group, bus_group_state(g) as state, g.cursor_epoch as epoch, c.seq, c.nonce,
      case when l.epoch is null then 0
        when l.epoch = g.cursor_epoch then greatest(0, l.head_seq - greatest(c.seq, l.horizon_seq))
        else l.head_seq - l.horizon_seq
      end as lag,
      d.in_flight as "inFlight", d.waiting, d.dead as "deadLetters",
      g.dead_reasons as "deadByReason",
      floor(extract(epoch from d.oldest_dead_at) * 1000)::bigint as "oldestDeadAt",
      floor(extract(epoch from unread.at) * 1000)::bigint as "oldestUnreadAt", m.members,
      (case clock.minute - g.acked_minute
        when 0 then g.acked + g.acked_before * (1 - clock.passed)
        when 1 then g.acked * (1 - clock.passed)
        else 0
      end / 60)::double precision as "ratePerSecond"
    from bus_groups g
    cross join (
      select floor(minutes)::bigint as minute, minutes - floor(minutes) as passed
      from (select extract(epoch from clock_timestamp()) / 60 as minutes) now
    ) clock
    cross join lateral (
      select case when r.replays then g.replay_seq else g.cursor_seq end as seq,
        case when r.replays then g.replay_nonce else g.cursor_nonce end as nonce
      from (select bus_replays(g.cursor_epoch, g.cursor_seq, g.replay_epoch, g.replay_seq) as replays) r
    ) c
    left join bus_logs l on l.namespace = g.namespace
    left join lateral (
      select e.at from bus_events e
      where e.namespace = g.namespace
        and e.seq > case when l.epoch = g.cursor_epoch then greatest(c.seq, l.horizon_seq) else l.horizon_seq end
      order by e.seq limit 1
    ) unread on true
    cross join lateral (
      select count(*) as members from bus_members where namespace = g.namespace and group_name = g.name
    ) m
    cross join lateral (
      select
        count(*) filter (where state = 'in_flight' and not passed) as in_flight,
        count(*) filter (where state = 'waiting' or (passed and attempt < g.max_deliveries)) as waiting,
        count(*) filter (where state = 'dead' or (passed and attempt >= g.max_deliveries)) as dead,
        min(coalesce(dead_at, due_at)) filter (where state = 'dead' or (passed and attempt >= g.max_deliveries)) as oldest_dead_at
      from (
        select state, attempt, dead_at, due_at, state = 'in_flight' and due_at <= clock_timestamp() as passed
        from bus_deliveries where namespace = g.namespace and group_name = g.name
      ) taken
    ) d
    where ${namespace === null ? sql`g.owned_by is not null` : sql`g.namespace = ${namespace}`} and (${after}::text is null or g.name > ${after}::text)
      and (${only}::text is null or g.name = ${only}::text)
    order by g.namespace, g.name limit ${limit}::bigint`.execute(db);
  return rows;
}
