// Gives attempts up. Null: there is no such group.
import { type Kysely, sql } from 'kysely';
import type { DeliveryRef } from '../../store/group-store.ts';
import type { BusSchema } from '../schema.ts';

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
      ${namespace}, ${group}, ${deliveries.map(({ position }) => position.epoch)}::text[],
      ${deliveries.map(({ position }) => position.seq)}::bigint[],
      ${deliveries.map(({ position }) => position.nonce)}::bigint[],
      ${deliveries.map(({ life }) => life)}::bigint[], ${deliveries.map(({ attempt }) => attempt)}::bigint[],
      ${delayMs}, ${reason}::text) as settled`.execute(db);
  return rows[0]?.settled ?? null;
}
