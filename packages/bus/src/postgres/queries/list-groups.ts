// A page of a namespace's groups, or all of them, with their figures, as they are now that some deadlines may have passed.
import { type Kysely, sql } from 'kysely';
import type { BusSchema } from '../schema.ts';

export interface GroupRow {
  group: string;
  topics: string[];
  ackDeadlineMs: number;
  maxDeliveries: number;
  epoch: string;
  seq: number;
  nonce: number;
  lag: number;
  inFlight: number;
  waiting: number;
  deadLetters: number;
}

export async function listGroups(
  db: Kysely<BusSchema>,
  namespace: string,
  { after, limit }: { after: string | null; limit: number | null } = { after: null, limit: null },
): Promise<GroupRow[]> {
  const { rows } = await sql<GroupRow>`
    select g.name as group, g.topics, g.ack_deadline_ms as "ackDeadlineMs", g.max_deliveries as "maxDeliveries",
      g.cursor_epoch as epoch, g.cursor_seq as seq, g.cursor_nonce as nonce,
      case when l.epoch is null then 0
        when l.epoch = g.cursor_epoch then greatest(0, l.head_seq - greatest(g.cursor_seq, l.horizon_seq))
        else l.head_seq - l.horizon_seq
      end as lag,
      d.in_flight as "inFlight", d.waiting, d.dead as "deadLetters"
    from bus_groups g
    left join bus_logs l on l.namespace = g.namespace
    cross join lateral (
      select
        count(*) filter (where state = 'in_flight' and not passed) as in_flight,
        count(*) filter (where state = 'waiting' or (passed and attempt < g.max_deliveries)) as waiting,
        count(*) filter (where state = 'dead' or (passed and attempt >= g.max_deliveries)) as dead
      from (
        select state, attempt, state = 'in_flight' and due_at <= clock_timestamp() as passed
        from bus_deliveries where namespace = g.namespace and group_name = g.name
      ) taken
    ) d
    where g.namespace = ${namespace} and (${after}::text is null or g.name > ${after}::text)
    order by g.name limit ${limit}::bigint`.execute(db);
  return rows;
}
