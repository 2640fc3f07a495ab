// Attempts as the functions take them: an array for each part of their names.
import { sql } from 'kysely';
import type { DeliveryRef } from '../../store/group-store.ts';

export const attemptArrays = (deliveries: readonly DeliveryRef[]) => sql`
  ${deliveries.map(({ position }) => position.epoch)}::text[],
  ${deliveries.map(({ position }) => position.seq)}::bigint[],
  ${deliveries.map(({ position }) => position.nonce)}::bigint[],
  ${deliveries.map(({ life }) => life)}::bigint[],
  ${deliveries.map(({ attempt }) => attempt)}::bigint[],
  ${deliveries.map(({ uncounted }) => uncounted)}::bigint[]`;
