// Replaces the liveness memory of agents, each only if it is unchanged since it was read; takes no revision.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import type { LivenessMemory } from '../../documents/liveness-memory.ts';

export interface MemoryWrite {
  readonly namespace: string;
  readonly name: string;
  readonly agentId: string;
  readonly before: LivenessMemory | null;
  /** Null: there is nothing to remember any more. */
  readonly after: LivenessMemory | null;
}

/** The places in `writes` that were done. Locks agents in the order of their keys, as every statement does that writes many. */
export async function writeMemories(db: Kysely<Schema>, writes: readonly MemoryWrite[]): Promise<Set<number>> {
  if (writes.length === 0) return new Set();
  const jsonOf = (memory: LivenessMemory | null): string | null => (memory === null ? null : JSON.stringify(memory));
  const { rows } = await sql<{ ord: number }>`
    with locked as materialized (
      select a.namespace, a.name, w.id, w.before::jsonb as before, w.after::jsonb as after, w.ord
      from unnest(
        ${writes.map(({ namespace }) => namespace)}::text[],
        ${writes.map(({ name }) => name)}::text[],
        ${writes.map(({ agentId }) => agentId)}::uuid[],
        ${writes.map(({ before }) => jsonOf(before))}::text[],
        ${writes.map(({ after }) => jsonOf(after))}::text[]
      ) with ordinality as w(namespace, name, id, before, after, ord)
      join agents a on a.namespace = w.namespace and a.name = w.name and a.id = w.id
      order by a.namespace, a.name
      for no key update of a
    )
    update agents a set liveness = l.after
    from locked l
    where a.namespace = l.namespace and a.name = l.name and a.id = l.id and a.liveness is not distinct from l.before
    returning l.ord::int as ord`.execute(db);
  return new Set(rows.map(({ ord }) => ord - 1));
}
