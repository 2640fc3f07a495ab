// The version of the server, or of the PostgreSQL that PGlite is.
import { type Kysely, sql } from 'kysely';

export async function readServerVersion<S>(db: Kysely<S>): Promise<string> {
  const { rows } = await sql<{ version: string }>`select current_setting('server_version') as version`.execute(db);
  // Distributions add their own name.
  return rows[0]?.version.split(' ', 1)[0] ?? '';
}
