// Who talked to whom in a namespace, over all replicas.
import { LIMITS, type Traffic, type TrafficReader } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

interface EdgeRow {
  source: string | null;
  topic: string;
  kind: TrafficReader['kind'];
  name: string;
  count: number;
  other: number;
}

/** The commonest edges, and one row for what is on none of them. */
export async function readTraffic(db: Kysely<Schema>, namespace: string, windowMs: number): Promise<Traffic> {
  const { rows } = await sql<EdgeRow>`
    with minutes as materialized (
      select edges, other from traffic
      where namespace = ${namespace} and bucket > (extract(epoch from now()) * 1000)::bigint - ${windowMs}::bigint
    ), summed as materialized (
      select e ->> 0 as source, e ->> 1 as topic, e ->> 2 as kind, e ->> 3 as name, sum((e ->> 4)::bigint)::bigint as count
      from minutes cross join lateral jsonb_array_elements(edges) as e
      group by 1, 2, 3, 4
    ), shown as materialized (
      select source, topic, kind, name, count from (
        select *, row_number() over (partition by source order by count desc, topic, kind, name) as place from summed
      ) ranked
      where place <= ${LIMITS.trafficEdgesOfSource}
      order by count desc, source, topic, kind, name limit ${LIMITS.trafficEdges}
    )
    select *, 0::bigint as other from shown
    union all
    select null, '', '', '', 0, coalesce((select sum(other) from minutes), 0)::bigint
      + coalesce((select sum(count) from summed), 0)::bigint - coalesce((select sum(count) from shown), 0)::bigint
    order by count desc, source, topic, kind, name`.execute(db);
  return {
    edges: rows.flatMap(({ source, topic, kind, name, count }) =>
      source === null ? [] : [{ source, topic, reader: { kind, name }, count }],
    ),
    other: rows.find(({ source }) => source === null)?.other ?? 0,
  };
}
