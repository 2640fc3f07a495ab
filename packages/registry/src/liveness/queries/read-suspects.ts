// Agents to be judged: those with a memory, a circuit that is not closed or a trip, and those that have been silent; or only
// those that cannot wait.
import type { Agent } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import type { LivenessMemory } from '../../documents/liveness-memory.ts';
import type { Trip } from '../../documents/trip.ts';
import { storedStatus } from './stored-status.ts';
import { storedTrip } from './stored-trip.ts';

export interface Suspect {
  namespace: string;
  name: string;
  id: string;
  incarnation: string | null;
  status: Agent['status'];
  hasHealthUrl: boolean;
  registeredAt: string;
  last_seen_at: Date | null;
  liveness: LivenessMemory | null;
  /** Whether an operator has tripped the name. */
  trip: Trip | null;
}

const columns = sql`namespace, name, id, incarnation, ${storedStatus} as status, doc ->> 'registeredAt' as "registeredAt",
  jsonb_typeof(doc -> 'healthUrl') = 'string' as "hasHealthUrl", last_seen_at, liveness,
  ${storedTrip('agents')} as trip`;
const remembered = sql<Suspect>`select ${columns} from agents where liveness is not null`;
/** A process that was stopped may show a circuit late, when the memory of it is dropped already. */
const shownAlone = sql`liveness is null and doc #>> '{status,circuit}' <> 'closed'`;

/** An agent of a tripped name that does not show it: a replica of a release that does not know of trips has written it. */
const untripped = sql<Suspect>`select a.* from operator_holds h
  join lateral (
    select ${columns} from agents
    where agents.namespace = h.namespace and agents.name = h.name and doc #>> '{status,circuit}' <> 'open' limit 1
  ) a on true
  where h.hold = 'trip'`;

/** `silentMs`: how long an agent is silent for before it is checked; null: only agents with a memory or a shown circuit. */
export async function readSuspects(db: Kysely<Schema>, silentMs: number | null): Promise<Suspect[]> {
  const known = sql<Suspect>`${remembered} union all select ${columns} from agents where ${shownAlone}
    union all select * from (${untripped}) u where liveness is null and status ->> 'circuit' = 'closed'`;
  const { rows } =
    silentMs === null
      ? await known.execute(db)
      : await sql<Suspect>`${known} union all
          select ${columns} from agents
          where liveness is null and last_seen_at < now() - ${silentMs} * interval '1 millisecond'
            and doc #>> '{status,circuit}' = 'closed' and ${storedTrip('agents')} is null`.execute(db);
  return rows;
}

/** Those whose circuit is to open, to open again, or to become half open, now, and those that do not show a trip. */
export async function readUrgent(
  db: Kysely<Schema>,
  { now, threshold, except }: { now: number; threshold: number; except: string[] },
): Promise<Suspect[]> {
  const { rows } =
    await sql<Suspect>`${remembered} and namespace <> all (${except}::text[]) and case liveness #>> '{circuit,circuit}'
    when 'closed' then (liveness #>> '{circuit,failures}')::integer > ${threshold}
    when 'open' then (liveness #>> '{circuit,openUntil}')::numeric <= ${now}
    else liveness ? 'badTrial' end
    union all ${untripped}`.execute(db);
  return rows;
}
