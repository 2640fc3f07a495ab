// Deletes a batch of a journal's records that are past their bounds. True when none is left.
import { type Kysely, sql } from 'kysely';
import type { BusSchema } from '../schema.ts';

/** Of one statement, so that none takes long. */
const BATCH = 5_000;

export async function trimJournal(
  db: Kysely<BusSchema>,
  { namespace, maxRecords }: { namespace: string; maxRecords: number },
): Promise<boolean> {
  const { rows } = await sql<{ done: boolean }>`
    select bus_trim_journal(${namespace}, ${maxRecords}, ${BATCH}) as done`.execute(db);
  return rows[0]?.done ?? true;
}
