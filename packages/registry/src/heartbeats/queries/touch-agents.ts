// Writes when agents were last seen, for many at once.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

export interface Seen {
  namespace: string;
  name: string;
  agentId: string;
  /** How long ago, in milliseconds: so that only the database's clock counts. */
  agoMs: number;
}

/** Never moves a time back. Takes no revision. */
export async function touchAgents(db: Kysely<Schema>, seen: Seen[]): Promise<void> {
  await sql`
    update agents a
    set last_seen_at = greatest(a.last_seen_at, date_trunc('milliseconds', now() - s.ago * interval '1 millisecond'))
    from unnest(
      ${seen.map(({ namespace }) => namespace)}::text[],
      ${seen.map(({ name }) => name)}::text[],
      ${seen.map(({ agentId }) => agentId)}::uuid[],
      ${seen.map(({ agoMs }) => agoMs)}::double precision[]
    ) as s(namespace, name, id, ago)
    where a.namespace = s.namespace and a.name = s.name and a.id = s.id`.execute(db);
}
