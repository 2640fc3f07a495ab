// Describes a failed attempt for a delivery's history.
import { sql } from 'kysely';

/**
 * A failed attempt as an element of a history. Times are milliseconds since the epoch.
 */
export const attemptOf = sql`
  create or replace function bus_attempt(p_delivery bus_deliveries, p_failed_at timestamptz, p_reason text) returns jsonb
  language sql stable
  as $$
    select jsonb_build_object(
      'attempt', p_delivery.attempt, 'consumer', p_delivery.consumer,
      'deliveredAt', floor(extract(epoch from p_delivery.delivered_at) * 1000)::bigint,
      'failedAt', floor(extract(epoch from p_failed_at) * 1000)::bigint,
      'reason', p_reason)
  $$`;
