// Agents to be judged: those with a memory or a circuit that is not closed, and those that have been silent; or only those
// that cannot wait.
import type { Agent } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import type { LivenessMemory } from '../../documents/liveness-memory.ts';
import { storedStatus } from './stored-status.ts';

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
}

const columns = sql`namespace, name, id, incarnation, ${storedStatus} as status, doc ->> 'registeredAt' as "registeredAt",
  jsonb_typeof(doc -> 'healthUrl') = 'string' as "hasHealthUrl", last_seen_at, liveness`;
const remembered = sql<Suspect>`select ${columns} from agents where liveness is not null`;
/** A process that was stopped may show a circuit late, when the memory of it is dropped already. */
const shownAlone = sql`liveness is null and doc #>> '{status,circuit}' <> 'closed'`;

/** `silentMs`: how long an agent is silent for before it is checked; null: only agents with a memory or a shown circuit. */
export async function readSuspects(db: Kysely<Schema>, silentMs: number | null): Promise<Suspect[]> {
  const known = sql<Suspect>`${remembered} union all select ${columns} from agents where ${shownAlone}`;
  const { rows } =
    silentMs === null
      ? await known.execute(db)
      : await sql<Suspect>`${known} union all
          select ${columns} from agents
          where liveness is null and last_seen_at < now() - ${silentMs} * interval '1 millisecond'
            and doc #>> '{status,circuit}' = 'closed'`.execute(db);
  return rows;
}

/** Those whose circuit is to open, to open again, or to become half open, now. */
export async function readUrgent(
  db: Kysely<Schema>,
  { now, threshold, except }: { now: number; threshold: number; except: string[] },
): Promise<Suspect[]> {
  const { rows } =
    await sql<Suspect>`${remembered} and namespace <> all (${except}::text[]) and case liveness #>> '{circuit,circuit}'
    when 'closed' then (liveness #>> '{circuit,failures}')::integer > ${threshold}
    when 'open' then (liveness #>> '{circuit,openUntil}')::numeric <= ${now}
    else liveness ? 'badTrial' end`.execute(db);
  return rows;
}
