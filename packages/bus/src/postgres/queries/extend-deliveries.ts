// Moves the deadlines of deliveries to later. Null: there is no such group.
import { type Kysely, sql } from 'kysely';
import type { DeliveryRef, ExtendOutcome } from '../../store/group-store.ts';
import type { BusSchema } from '../schema.ts';
import { attemptArrays } from './attempt-arrays.ts';

export async function extendDeliveries(
  db: Kysely<BusSchema>,
  namespace: string,
  { group, deliveries, byMs }: { group: string; deliveries: readonly DeliveryRef[]; byMs: number },
): Promise<ExtendOutcome | null> {
  const { rows } = await sql<ExtendOutcome>`
    select extended, due_at_ms as "dueAt" from bus_extend(
      ${namespace}, ${group}, ${attemptArrays(deliveries)}, ${byMs})`.execute(db);
  return rows[0] ?? null;
}
