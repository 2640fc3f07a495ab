// Reads agents by name, together with what fencing needs to know of the incarnations that ask for them.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import { type AgentRow, REMEMBERED_INCARNATION } from '../../documents/agent-row.ts';

export interface Wanted {
  name: string;
  /** The process that wants to register; null when none is named. */
  incarnation: string | null;
}

export interface Found {
  name: string;
  incarnation: string | null;
  /** Null when there is no such agent. */
  row: AgentRow | null;
  /** Whether `incarnation` has been superseded by a newer one of the same name. */
  superseded: boolean;
}

/** One answer for each of `wanted`, in no particular order. Whole keys only, whatever the planner knows of the tables. */
export async function readAgents(db: Kysely<Schema>, namespace: string, wanted: Wanted[]): Promise<Found[]> {
  const names = wanted.map(({ name }) => name);
  const incarnations = wanted.map(({ incarnation }) => incarnation);
  const { rows } = await sql<{
    name: string;
    incarnation: string | null;
    doc: AgentRow['doc'] | null;
    last_seen_at: Date | null;
    liveness: AgentRow['liveness'];
    superseded: boolean;
  }>`
    select w.name, w.incarnation, a.doc, a.last_seen_at, a.liveness, i.found is not null as superseded
    from unnest(${names}::text[], ${incarnations}::uuid[]) as w(name, incarnation)
    left join lateral (
      select doc, last_seen_at, liveness from agents where namespace = ${namespace} and name = w.name limit 1
    ) a on true
    left join lateral (
      select true as found from incarnations
      where namespace = ${namespace} and name = w.name and incarnation = w.incarnation
        and superseded_at > now() - ${REMEMBERED_INCARNATION}::interval
      limit 1
    ) i on true`.execute(db);
  return rows.map(({ name, incarnation, doc, last_seen_at, liveness, superseded }) => ({
    name,
    incarnation,
    row: doc === null ? null : { doc, last_seen_at, liveness },
    superseded,
  }));
}
