// Settles events, whatever became of the attempts that are named. Null: there is no such group.
import { type Kysely, sql } from 'kysely';
import type { DeliveryRef } from '../../store/group-store.ts';
import type { BusSchema } from '../schema.ts';

export async function ackDeliveries(
  db: Kysely<BusSchema>,
  namespace: string,
  { group, deliveries, journal }: { group: string; deliveries: readonly DeliveryRef[]; journal: boolean },
): Promise<number | null> {
  const { rows } = await sql<{ settled: number | null }>`
    select bus_acknowledge(
      ${namespace}, ${group}, ${deliveries.map(({ position }) => position.epoch)}::text[],
      ${deliveries.map(({ position }) => position.seq)}::bigint[],
      ${deliveries.map(({ position }) => position.nonce)}::bigint[],
      ${deliveries.map(({ life }) => life)}::bigint[], ${journal}) as settled`.execute(db);
  return rows[0]?.settled ?? null;
}
