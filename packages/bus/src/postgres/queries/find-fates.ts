// What every group of a namespace knows of the event at a position, in one statement and without a lock.
import { type Kysely, sql } from 'kysely';
import type { GroupFacts } from '../../store/group-fates.ts';
import type { LogPosition } from '../../store/position.ts';
import type { BusSchema } from '../schema.ts';

/** A deadline that has passed counts as it will with the next call to the group, see `bus_enter_group`. */
const HELD = sql`
  json_build_object(
    'state', case when not d.late then d.state when d.attempt >= g.max_deliveries then 'dead' else 'waiting' end,
    'attempt', d.attempt,
    'consumer', case when d.attempt > 0 then d.consumer end,
    'deliveredAt', case when d.attempt > 0 then floor(extract(epoch from d.delivered_at) * 1000)::bigint end,
    'dueAt', case when d.state <> 'dead' and not (d.late and d.attempt >= g.max_deliveries)
      then floor(extract(epoch from d.due_at) * 1000)::bigint end,
    'history', case when d.late then d.history || bus_attempt(d.taken, d.due_at, null) else d.history end)`;

export async function findFates(
  db: Kysely<BusSchema>,
  namespace: string,
  { epoch, seq, nonce }: LogPosition,
): Promise<GroupFacts[]> {
  const { rows } = await sql<GroupFacts>`
    select g.name as group, null as began, g.topics, case when d.seq is not null then ${HELD} end as held, null as record,
      case when c.passed then json_build_object('how', 'unknown', 'topics', null, 'life', 0) end as pass,
      case
        when l.epoch is null or l.epoch <> ${epoch} then 'log_lost'
        when e.nonce = ${nonce} then null
        when ${seq}::bigint <= l.horizon_seq then 'retention'
        else 'log_lost'
      end as missing
    from bus_groups g
    left join bus_logs l on l.namespace = g.namespace
    left join bus_events e on e.namespace = g.namespace and e.seq = ${seq} and (e.seq > l.horizon_seq or e.spared_after is not null)
    cross join lateral (
      select g.cursor_epoch = ${epoch} and ${seq}::bigint <= case
        when bus_replays(g.cursor_epoch, g.cursor_seq, g.replay_epoch, g.replay_seq) then g.replay_seq else g.cursor_seq
      end as passed
    ) c
    left join lateral (
      select t.*, t as taken, t.state = 'in_flight' and t.due_at <= clock_timestamp() as late from bus_deliveries t
      where t.namespace = g.namespace and t.group_name = g.name and t.seq = ${seq} and t.nonce = ${nonce} and t.epoch = ${epoch}
      limit 1
    ) d on true
    where g.namespace = ${namespace}`.execute(db);
  return rows;
}
