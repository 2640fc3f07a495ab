// Takes what has been noted of deaths, of groups that were not reported lately.
import { type Kysely, sql } from 'kysely';
import { type DeathReport, DEATHS_INTERVAL_MS } from '../../store/group-deaths.ts';
import type { BusSchema } from '../schema.ts';

/** Of one statement. */
const MAX_GROUPS = 100;

/** Groups that another call holds are left to the next time. */
export async function takeDeaths(db: Kysely<BusSchema>): Promise<DeathReport[]> {
  const { rows } = await sql<DeathReport>`
    with ready as materialized (
      select g.namespace, g.name, g.unreported from bus_groups g
      where g.unreported is not null
        and (g.reported_at is null or g.reported_at <= clock_timestamp() - ${DEATHS_INTERVAL_MS} * interval '1 millisecond')
      limit ${MAX_GROUPS} for update skip locked
    ),
    taken as (
      update bus_groups g set unreported = null, reported_at = clock_timestamp()
      from ready r where g.namespace = r.namespace and g.name = r.name
    )
    select r.namespace, r.name as "group", (r.unreported ->> 'count')::bigint as count,
      (r.unreported ->> 'dropped')::bigint as dropped, r.unreported -> 'reasons' as reasons
    from ready r`.execute(db);
  return rows;
}
