// The newest revision of each of the namespaces, in one statement.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

export interface Head {
  /** The newest revision. */
  revision: number;
  /** Changes up to and including this revision were deleted. */
  horizon: number;
}

/** A namespace that has never been written to is at revision 0. */
export async function readHeads(db: Kysely<Schema>, namespaces: string[]): Promise<Map<string, Head>> {
  const { rows } = await sql<{ namespace: string } & Head>`
    select namespace, revision, horizon from namespaces where namespace = any(${namespaces}::text[])`.execute(db);
  const heads = new Map<string, Head>(namespaces.map((namespace) => [namespace, { revision: 0, horizon: 0 }]));
  for (const { namespace, revision, horizon } of rows) heads.set(namespace, { revision, horizon });
  return heads;
}
