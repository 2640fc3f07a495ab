// Gives attempts up. Null: there is no such group.
import { type Kysely, sql } from 'kysely';
import type { DeliveryRef } from '../../store/group-store.ts';
import type { BusSchema } from '../schema.ts';
import { attemptArrays } from './attempt-arrays.ts';

export interface Nack {
  group: string;
  deliveries: readonly DeliveryRef[];
  delayMs: number;
  reason: string | null;
}

export async function nackDeliveries(
  db: Kysely<BusSchema>,
  namespace: string,
  { group, deliveries, delayMs, reason }: Nack,
): Promise<number | null> {
  const { rows } = await sql<{ settled: number | null }>`
    select bus_nack(
      ${namespace}, ${group}, ${attemptArrays(deliveries)}, ${delayMs}, ${reason}::text) as settled`.execute(db);
  return rows[0]?.settled ?? null;
}
