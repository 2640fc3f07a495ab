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
  /** The lease that the agent asked for. */
  leaseMs: number | null;
  liveness: LivenessMemory | null;
  /** Whether an operator has tripped the name. */
  trip: Trip | null;
}

const columns = sql`namespace, name, id, incarnation, ${storedStatus} as status, doc ->> 'registeredAt' as "registeredAt",
  jsonb_typeof(doc -> 'healthUrl') = 'string' as "hasHealthUrl", last_seen_at,
  lease_ms as "leaseMs", liveness, ${storedTrip('agents')} as trip`;
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

/**
 * Which agents are read: those with a memory or a shown circuit (`known`), also those that have missed their lease (`all`), or of all
 * only those whose lease is shorter than the core's (`short`).
 */
export type SuspectScope = 'known' | 'short' | 'all';

/** `coreLeaseMs` is the lease of agents that asked for none. */
export async function readSuspects(db: Kysely<Schema>, scope: SuspectScope, coreLeaseMs: number): Promise<Suspect[]> {
  const core = sql`${coreLeaseMs}::float8`;
  const lease = sql`coalesce(lease_ms, ${core})`;
  const missedAfter = sql`(${lease} + 2 * least(${lease}, ${core}) / 6) * interval '1 millisecond'`;
  const silent = sql<Suspect>`select ${columns} from agents
    where liveness is null and last_seen_at < now() - ${missedAfter}
      and doc #>> '{status,circuit}' = 'closed' and ${storedTrip('agents')} is null`;
  const known = sql<Suspect>`${remembered} union all select ${columns} from agents where ${shownAlone}
    union all select * from (${untripped}) u where liveness is null and status ->> 'circuit' = 'closed'`;
  const isShort = sql`lease_ms < ${coreLeaseMs}`;
  const read = {
    known,
    short: sql<Suspect>`${remembered} and ${isShort} union all ${silent} and ${isShort}`,
    all: sql<Suspect>`${known} union all ${silent}`,
  };
  return (await read[scope].execute(db)).rows;
}

/**
 * Those whose circuit is to open, to open again, or to become half open, now, and those that do not show a trip. In the namespaces of
 * `waiting`, agents without a healthUrl may have to wait before their circuit opens, so checks of leases open it.
 */
export async function readUrgent(
  db: Kysely<Schema>,
  { now, threshold, except, waiting }: { now: number; threshold: number; except: string[]; waiting: string[] },
): Promise<Suspect[]> {
  const { rows } =
    await sql<Suspect>`${remembered} and namespace <> all (${except}::text[]) and case liveness #>> '{circuit,circuit}'
    when 'closed' then (liveness #>> '{circuit,failures}')::integer > ${threshold}
      and (jsonb_typeof(doc -> 'healthUrl') = 'string' or namespace <> all (${waiting}::text[]))
    when 'open' then (liveness #>> '{circuit,openUntil}')::numeric <= ${now}
    else liveness ? 'badTrial' end
    union all ${untripped}`.execute(db);
  return rows;
}
