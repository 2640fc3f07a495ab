// What the other replicas have reported of their streams in one namespace.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

/** After three reports that did not come, the streams of a replica are taken for ended. */
const STREAMS_LAST = '16 seconds';

export interface StreamsRow {
  replica: string;
  seenAt: Date;
  report: unknown;
}

export async function readStreams(
  db: Kysely<Schema>,
  namespace: string,
  { except }: { except: string },
): Promise<StreamsRow[]> {
  const { rows } = await sql<StreamsRow>`
    select s.replica, r.seen_at as "seenAt", s.report
    from replica_streams s join replicas r on r.id = s.replica
    where s.namespace = ${namespace} and s.replica <> ${except}
      and r.seen_at > now() - ${sql.lit(STREAMS_LAST)}::interval
    order by s.replica`.execute(db);
  return rows;
}
