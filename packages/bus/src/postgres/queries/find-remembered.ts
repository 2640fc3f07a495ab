// What deduplication remembers of one event.
import { type Kysely, sql } from 'kysely';
import type { NewEvent, RememberedEvent } from '../../store/event-log.ts';
import type { BusSchema } from '../schema.ts';

export async function findRemembered(
  db: Kysely<BusSchema>,
  namespace: string,
  { event, windowMs }: { event: Pick<NewEvent, 'id' | 'source'>; windowMs: number },
): Promise<RememberedEvent | null> {
  const { rows } = await sql<{ epoch: string; seq: number; nonce: number; duplicates: number }>`
    select l.epoch, d.seq, d.nonce, d.duplicates
    from bus_dedup d join bus_logs l on l.namespace = d.namespace
    where d.namespace = ${namespace} and d.source = ${event.source} and d.id = ${event.id}::uuid
      and d.at > greatest(clock_timestamp(), l.head_at) - ${windowMs}::bigint * interval '1 millisecond'`.execute(db);
  const [row] = rows;
  if (row === undefined) return null;
  const { duplicates, ...position } = row;
  return { position, duplicates };
}
