// Reads agents by name, together with what fencing needs to know of the incarnations that ask for them.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import { type AgentRow, REMEMBERED_INCARNATION } from '../../documents/agent-row.ts';
import type { Trip } from '../../documents/trip.ts';

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
  /** Id of the token that registered the agent first; null when that is unknown, and without an agent. */
  owner: string | null;
  /** Whether an operator has tripped the name, registered or not. */
  trip: Trip | null;
  /** Whether `incarnation` has been superseded by a newer one of the same name. */
  superseded: boolean;
  /** Since the agent was last seen, in milliseconds; null without an agent. */
  silentMs: number | null;
  /** Since a replica last saw an open stream of the silent agent, in milliseconds; null: never. */
  streamedAgoMs: number | null;
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
    owner: string | null;
    trip: Trip | null;
    superseded: boolean;
    silentMs: number | null;
    streamedAgoMs: number | null;
  }>`
    select w.name, w.incarnation, a.doc, a.last_seen_at, a.liveness, a.registered_by as owner,
      i.found is not null as superseded, h.trip,
      (extract(epoch from now() - a.last_seen_at) * 1000)::float8 as "silentMs",
      (extract(epoch from now() - a.streaming_at) * 1000)::float8 as "streamedAgoMs"
    from unnest(${names}::text[], ${incarnations}::uuid[]) as w(name, incarnation)
    left join lateral (
      select doc, last_seen_at, liveness, streaming_at, registered_by from agents where namespace = ${namespace} and name = w.name limit 1
    ) a on true
    left join lateral (
      select true as found from incarnations
      where namespace = ${namespace} and name = w.name and incarnation = w.incarnation
        and superseded_at is not null and not exists (
          select from removed_names r
          where r.namespace = ${namespace} and r.name = w.name and r.removed_at <= now() - ${REMEMBERED_INCARNATION}::interval
        )
      limit 1
    ) i on true
    left join lateral (
      select jsonb_build_object('reason', reason) as trip from operator_holds
      where namespace = ${namespace} and name = w.name and hold = 'trip' limit 1
    ) h on true`.execute(db);
  return rows.map(({ doc, last_seen_at, liveness, ...found }) => ({
    ...found,
    row: doc === null ? null : { doc, last_seen_at, liveness },
  }));
}
