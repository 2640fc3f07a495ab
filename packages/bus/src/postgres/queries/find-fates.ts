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

const RECORD = sql`
  json_build_object('how', case r.how when 'a' then 'acked' when 'x' then 'discarded' else 'dropped' end,
    'life', r.life, 'attempt', r.attempt, 'deliveredAt', floor(extract(epoch from r.delivered_at) * 1000)::bigint,
    'settledAt', floor(extract(epoch from r.settled_at) * 1000)::bigint, 'by', r.by)`;

export async function findFates(
  db: Kysely<BusSchema>,
  namespace: string,
  { epoch, seq, nonce }: LogPosition,
): Promise<GroupFacts[]> {
  const { rows } = await sql<GroupFacts>`
    select g.name as group, g.topics, case when d.seq is not null then ${HELD} end as held,
      case when g.began_seq is not null then json_build_object('epoch', g.began_epoch, 'seq', g.began_seq, 'nonce', g.began_nonce) end
        as began,
      case when r.seq is not null then ${RECORD} end as record,
      bus_pass_over(g, l.epoch, ${epoch}, ${seq}) as pass,
      case
        when l.epoch is null or l.epoch <> ${epoch} then 'log_lost'
        when e.nonce = ${nonce} then null
        when ${seq}::bigint <= l.horizon_seq then 'retention'
        else 'log_lost'
      end as missing
    from bus_groups g
    left join bus_logs l on l.namespace = g.namespace
    left join bus_events e on e.namespace = g.namespace and e.seq = ${seq} and (e.seq > l.horizon_seq or e.spared_after is not null)
    left join bus_journals j on j.namespace = g.namespace and j.epoch = ${epoch}
    left join bus_settled r on r.journal = j.number and r.seq = ${seq} and r.group_number = g.number and r.nonce = ${nonce}
    left join lateral (
      select t.*, t as taken, t.state = 'in_flight' and t.due_at <= clock_timestamp() as late from bus_deliveries t
      where t.namespace = g.namespace and t.group_name = g.name and t.seq = ${seq} and t.nonce = ${nonce} and t.epoch = ${epoch}
      limit 1
    ) d on true
    where g.namespace = ${namespace}`.execute(db);
  return rows;
}
