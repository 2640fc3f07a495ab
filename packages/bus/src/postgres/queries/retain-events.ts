// Moves the horizon of one log as its limits demand. True when there is nothing left to do.
import { type Kysely, sql } from 'kysely';
import type { Retention } from '../../store/event-log.ts';
import type { BusSchema } from '../schema.ts';

export async function retainEvents(db: Kysely<BusSchema>, namespace: string, retention: Retention): Promise<boolean> {
  const { maxEvents, maxBytes, maxAgeMs } = retention;
  const { rows } = await sql<{ settled: boolean }>`
    select bus_retain(${namespace}, ${maxEvents}, ${maxBytes}, ${maxAgeMs}) as settled`.execute(db);
  return rows[0]?.settled ?? true;
}
