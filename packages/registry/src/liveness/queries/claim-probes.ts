// Claims agents whose probe is due, each for one replica: the next probe is due an interval later, on any replica.
import type { Agent } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import type { LivenessMemory } from '../../documents/liveness-memory.ts';
import type { Trip } from '../../documents/trip.ts';
import { storedStatus } from './stored-status.ts';
import { storedTrip } from './stored-trip.ts';

export interface DueProbe {
  namespace: string;
  name: string;
  id: string;
  incarnation: string | null;
  healthUrl: string;
  status: Agent['status'];
  last_seen_at: Date | null;
  /** The lease that the agent asked for. */
  leaseMs: number | null;
  liveness: LivenessMemory | null;
  trip: Trip | null;
  /** The database's time. */
  now: Date;
}

/** Of agents `a`. */
export const dueProbeColumns = sql`a.namespace, a.name, a.id, a.incarnation, a.doc ->> 'healthUrl' as "healthUrl",
  ${storedStatus} as status, a.last_seen_at, a.lease_ms as "leaseMs", a.liveness, ${storedTrip('a')} as trip, now() as now`;

/** At most `limit`; the next time is spread over a tenth of the interval either way. */
export async function claimProbes(
  db: Kysely<Schema>,
  { intervalMs, limit }: { intervalMs: number; limit: number },
): Promise<DueProbe[]> {
  const { rows } = await sql<DueProbe>`
    with due as materialized (
      select namespace, name from agents
      where jsonb_typeof(doc -> 'healthUrl') = 'string' and (probe_at is null or probe_at <= now())
      order by probe_at nulls first
      limit ${limit}
      for update skip locked
    )
    update agents a
    set probe_at = now() + ${intervalMs} * (0.9 + random() * 0.2) * interval '1 millisecond'
    from due where a.namespace = due.namespace and a.name = due.name
    returning ${dueProbeColumns}`.execute(db);
  return rows;
}
