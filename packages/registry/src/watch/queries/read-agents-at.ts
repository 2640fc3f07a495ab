// Reads agents as they were at a revision, from the agents and from the change log.
import { SwarmError } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import { type AgentRow, measuredWithin, summarised } from '../../documents/agent-row.ts';
import type { Schema } from '../../schema.ts';
import type { Wanted } from '../project.ts';

/** When a watcher may begin again whose snapshot cannot be read any more, in milliseconds. */
const RETRY_MS = 1000;

/** A snapshot that cannot be read any more. */
export const takenTooSlowly = (): SwarmError =>
  new SwarmError('UNAVAILABLE', 'the snapshot was taken too slowly; watch again', { retryAfterMs: RETRY_MS });

/**
 * The first of the agents with these names, which had them at the revision: as many as have `maxBytes` together, and at least one. An
 * agent that has changed since is in the change log as it was before. UNAVAILABLE when the log does not reach back so far any more.
 */
export async function readAgentsAt(
  db: Kysely<Schema>,
  {
    namespace,
    view,
    names,
    revision,
    maxBytes,
  }: Pick<Wanted, 'view'> & {
    namespace: string;
    names: readonly string[];
    revision: number;
    maxBytes: number;
  },
): Promise<AgentRow[]> {
  const doc = sql`coalesce(change.before, a.doc)`;
  const { rows } = await sql<AgentRow & { horizon: number }>`
    select doc, last_seen_at, liveness, horizon from (
      select *, sum(${measuredWithin(maxBytes, sql`doc`)}) over (order by place) as bytes from (
        select *, sum(pg_column_size(doc)) over (order by place) as stored from (
          select wanted.place, ${view === 'full' ? doc : summarised(doc)} as doc, coalesce(n.horizon, 0) as horizon,
            case when change.before is null then a.last_seen_at end as last_seen_at,
            case when change.before is null then a.liveness end as liveness
          from unnest(${names}::text[]) with ordinality as wanted (name, place)
          left join namespaces n on n.namespace = ${namespace}
          left join agents a on a.namespace = ${namespace} and a.name = wanted.name
          left join lateral (
            select before from changes c
            where c.namespace = ${namespace} and c.name = wanted.name and c.revision > ${revision}
            order by c.revision limit 1
          ) change on true
          offset 0
        ) found
      ) stored
    ) page
    where bytes <= ${maxBytes} or place = 1
    order by place`.execute(db);
  if (rows.some(({ horizon }) => horizon > revision)) {
    throw takenTooSlowly();
  }
  return rows;
}
