// Deletes a batch of events before a log's horizon. True when none is left.
import { type Kysely, sql } from 'kysely';
import type { BusSchema } from '../schema.ts';

/** Of one statement, so that none takes long. */
const MAX_EVENTS = 5_000;
const MAX_BYTES = 32 * 1024 * 1024;

export async function sweepEvents(db: Kysely<BusSchema>, namespace: string): Promise<boolean> {
  const { rows } = await sql<{ done: boolean }>`
    select bus_sweep(${namespace}, ${MAX_EVENTS}, ${MAX_BYTES}) as done`.execute(db);
  return rows[0]?.done ?? true;
}
