// Agents to be judged: those of whom something is remembered, and, once a round, those that have been silent.
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

/** `silentMs`: how long an agent is silent for before it is looked at; null: only what is remembered. */
export async function readSuspects(db: Kysely<Schema>, silentMs: number | null): Promise<Suspect[]> {
  const columns = sql`namespace, name, id, incarnation, doc -> 'status' as status, doc ->> 'registeredAt' as "registeredAt",
    jsonb_typeof(doc -> 'healthUrl') = 'string' as "hasHealthUrl", last_seen_at, liveness`;
  const remembered = sql<Suspect>`select ${columns} from agents where liveness is not null`;
  const { rows } =
    silentMs === null
      ? await remembered.execute(db)
      : await sql<Suspect>`${remembered} union all
          select ${columns} from agents
          where liveness is null and last_seen_at < now() - ${silentMs} * interval '1 millisecond'`.execute(db);
  return rows;
}
