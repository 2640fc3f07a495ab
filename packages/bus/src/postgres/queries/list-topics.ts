// A page of a namespace's topics. The rate weighs the minute before by how much of it lies within the last 60 seconds.
import { type Kysely, sql } from 'kysely';
import type { BusSchema } from '../schema.ts';

export interface TopicRow {
  topic: string;
  count: number;
  perSecond: number;
  epoch: string;
  seq: number;
  nonce: number;
}

export async function listTopics(
  db: Kysely<BusSchema>,
  namespace: string,
  { after, limit }: { after: string | null; limit: number },
): Promise<TopicRow[]> {
  const { rows } = await sql<TopicRow>`
    select t.topic, t.count, l.epoch, t.last_seq as seq, t.last_nonce as nonce,
      (case clock.minute - t.minute
        when 0 then t.in_minute + t.in_minute_before * (1 - clock.passed)
        when 1 then t.in_minute * (1 - clock.passed)
        else 0
      end / 60)::double precision as "perSecond"
    from bus_topics t
    join bus_logs l on l.namespace = t.namespace
    cross join (
      select floor(minutes)::bigint as minute, minutes - floor(minutes) as passed
      from (select extract(epoch from clock_timestamp()) / 60 as minutes) now
    ) clock
    where t.namespace = ${namespace} and (${after}::text is null or t.topic > ${after}::text)
    order by t.topic limit ${limit}`.execute(db);
  return rows;
}
