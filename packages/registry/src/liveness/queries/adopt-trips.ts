// Keeps the trips by name that a replica of a release without such trips has written into what is remembered of a process.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

/** A trip of this release is kept by name first, and taken back in one statement, so none of its own is without its row. */
export async function adoptTrips(db: Kysely<Schema>): Promise<void> {
  await sql`
    with tripped as materialized (
      select a.namespace, a.name, a.doc, a.liveness #>> '{circuit,reason}' as reason from agents a
      where a.liveness is not null and a.liveness #>> '{circuit,tripped}' = 'true' and a.liveness ->> 'agentId' = a.id::text
        and (a.liveness ->> 'incarnation') is not distinct from a.incarnation::text
      order by a.namespace, a.name
      for no key update of a
    )
    insert into operator_holds (namespace, name, hold, reason, agent, held_at)
    select namespace, name, 'trip', reason, doc, now() from tripped
    on conflict (namespace, name, hold) do nothing`.execute(db);
}
