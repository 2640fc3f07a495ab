// Agents that are shown with a circuit that is not closed, for the judge to see whether that is still so.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index agents_with_circuit on agents (namespace, name)
    where doc #>> '{status,circuit}' <> 'closed'`.execute(db);
}
