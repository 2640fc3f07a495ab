// Writes when agents were last seen, for many at once.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

export interface Seen {
  namespace: string;
  name: string;
  agentId: string;
  /** How long ago, in milliseconds: so that only the clock of the database counts. */
  agoMs: number;
}

/** Never moves a time back. Takes no revision. Locks agents in the order of their keys, as every statement does that writes many. */
export async function touchAgents(db: Kysely<Schema>, seen: Seen[]): Promise<void> {
  await sql`
    with locked as materialized (
      select a.namespace, a.name, s.ago
      from unnest(
        ${seen.map(({ namespace }) => namespace)}::text[],
        ${seen.map(({ name }) => name)}::text[],
        ${seen.map(({ agentId }) => agentId)}::uuid[],
        ${seen.map(({ agoMs }) => agoMs)}::double precision[]
      ) as s(namespace, name, id, ago)
      join agents a on a.namespace = s.namespace and a.name = s.name and a.id = s.id
      order by a.namespace, a.name
      for no key update of a
    )
    update agents a
    set last_seen_at = greatest(a.last_seen_at, date_trunc('milliseconds', now() - l.ago * interval '1 millisecond'))
    from locked l
    where a.namespace = l.namespace and a.name = l.name`.execute(db);
}
