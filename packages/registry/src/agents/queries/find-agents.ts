// Which of these agents are registered, of any namespaces. Whole keys only, whatever the planner knows of the table.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

export interface AgentKey {
  readonly namespace: string;
  readonly name: string;
}

export async function findAgents(db: Kysely<Schema>, wanted: readonly AgentKey[]): Promise<AgentKey[]> {
  const namespaces = wanted.map(({ namespace }) => namespace);
  const names = wanted.map(({ name }) => name);
  const { rows } = await sql<AgentKey>`
    select w.namespace, w.name from unnest(${namespaces}::text[], ${names}::text[]) as w(namespace, name)
    join lateral (
      select from agents where namespace = w.namespace and name = w.name limit 1
    ) a on true`.execute(db);
  return rows;
}
