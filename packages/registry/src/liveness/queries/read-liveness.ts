// The liveness memory of one agent; null when there is no such agent.
import type { Kysely } from 'kysely';
import type { Schema } from '../../schema.ts';

export async function readLiveness(db: Kysely<Schema>, namespace: string, name: string) {
  const row = await db
    .selectFrom('agents')
    .select(['id', 'incarnation', 'liveness'])
    .where('namespace', '=', namespace)
    .where('name', '=', name)
    .executeTakeFirst();
  return row ?? null;
}
