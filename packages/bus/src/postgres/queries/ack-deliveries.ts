// Settles deliveries, whatever became of them. Null: there is no such group.
import { type Kysely, sql } from 'kysely';
import type { LogPosition } from '../../store/position.ts';
import type { BusSchema } from '../schema.ts';

export async function ackDeliveries(
  db: Kysely<BusSchema>,
  namespace: string,
  { group, positions }: { group: string; positions: readonly LogPosition[] },
): Promise<number | null> {
  const { rows } = await sql<{ settled: number | null }>`
    select bus_ack(
      ${namespace}, ${group}, ${positions.map(({ epoch }) => epoch)}::text[],
      ${positions.map(({ seq }) => seq)}::bigint[], ${positions.map(({ nonce }) => nonce)}::bigint[]) as settled`.execute(
    db,
  );
  return rows[0]?.settled ?? null;
}
