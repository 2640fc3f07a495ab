// Takes deliveries back that were not handed on. Null: there is no such group.
import { type Kysely, sql } from 'kysely';
import type { DeliveryRef } from '../../store/group-store.ts';
import type { BusSchema } from '../schema.ts';
import { attemptArrays } from './attempt-arrays.ts';

export async function giveBackDeliveries(
  db: Kysely<BusSchema>,
  namespace: string,
  { group, deliveries }: { group: string; deliveries: readonly DeliveryRef[] },
): Promise<number | null> {
  const { rows } = await sql<{ returned: number | null }>`
    select bus_give_back(${namespace}, ${group}, ${attemptArrays(deliveries)}) as returned`.execute(db);
  return rows[0]?.returned ?? null;
}
