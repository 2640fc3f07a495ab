// The namespaces that have a log.
import { type Kysely, sql } from 'kysely';
import type { BusSchema } from '../schema.ts';

export async function listNamespaces(db: Kysely<BusSchema>): Promise<string[]> {
  const { rows } = await sql<{ namespace: string }>`select namespace from bus_logs`.execute(db);
  return rows.map(({ namespace }) => namespace);
}
