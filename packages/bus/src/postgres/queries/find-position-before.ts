// The position before the first event of a log since a time. Undefined when there is no such log.
import { type Kysely, sql } from 'kysely';
import type { LogPosition } from '../../store/position.ts';
import type { BusSchema } from '../schema.ts';

export async function findPositionBefore(
  db: Kysely<BusSchema>,
  namespace: string,
  timeMs: number,
): Promise<LogPosition | undefined> {
  const { rows } = await sql<LogPosition>`
    select * from bus_position_before(${namespace}, to_timestamp(${timeMs}::double precision / 1000))`.execute(db);
  return rows[0];
}
