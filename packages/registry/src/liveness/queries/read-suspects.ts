// Agents to be judged: those of whom something is remembered, and those that have been silent; or only what cannot wait.
import type { Agent } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import type { LivenessMemory } from '../liveness-memory.ts';

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

// Documents of earlier versions do not have a `circuitOpenUntil`.
const columns = sql`namespace, name, id, incarnation, '{"circuitOpenUntil": null}'::jsonb || (doc -> 'status') as status, doc ->> 'registeredAt' as "registeredAt",
  jsonb_typeof(doc -> 'healthUrl') = 'string' as "hasHealthUrl", last_seen_at, liveness`;
const remembered = sql<Suspect>`select ${columns} from agents where liveness is not null`;

/** `silentMs`: how long an agent is silent for before it is looked at; null: only what is remembered. */
export async function readSuspects(db: Kysely<Schema>, silentMs: number | null): Promise<Suspect[]> {
  const { rows } =
    silentMs === null
      ? await remembered.execute(db)
      : await sql<Suspect>`${remembered} union all
          select ${columns} from agents
          where liveness is null and last_seen_at < now() - ${silentMs} * interval '1 millisecond'`.execute(db);
  return rows;
}

/** Those whose circuit is to open, or to become half open, now. */
export async function readUrgent(
  db: Kysely<Schema>,
  { now, threshold, except }: { now: number; threshold: number; except: string[] },
): Promise<Suspect[]> {
  const { rows } =
    await sql<Suspect>`${remembered} and namespace <> all (${except}::text[]) and case liveness #>> '{circuit,circuit}'
    when 'closed' then (liveness #>> '{circuit,failures}')::integer > ${threshold}
    when 'open' then (liveness #>> '{circuit,openUntil}')::numeric <= ${now}
    else false end`.execute(db);
  return rows;
}
