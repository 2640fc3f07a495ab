// Namespaces whose journal may have records that are past their bounds.
import { type Kysely, sql } from 'kysely';
import { JOURNAL_BLOCK } from '../../store/group-fates.ts';
import type { BusSchema } from '../schema.ts';

/** A journal has at most a record for each event since its oldest and each group; counting them is left to those that may be full. */
export async function findFullJournals(db: Kysely<BusSchema>, maxRecords: number): Promise<string[]> {
  const { rows } = await sql<{ namespace: string }>`
    select distinct j.namespace from bus_journals j
    left join bus_logs l on l.namespace = j.namespace and l.epoch = j.epoch
    cross join lateral (select r.seq from bus_settled r where r.journal = j.number order by r.seq limit 1) oldest
    left join lateral bus_resume(l, 0, 0, 'log_lost') kept on l.epoch is not null
    where l.epoch is null or ${maxRecords}::bigint = 0
      or oldest.seq < (kept.seq + 1) / ${JOURNAL_BLOCK}::bigint * ${JOURNAL_BLOCK}::bigint
      or (l.head_seq - oldest.seq + 1) * (select count(*) from bus_groups g where g.namespace = j.namespace)
        > ${maxRecords}::bigint`.execute(db);
  return rows.map(({ namespace }) => namespace);
}
