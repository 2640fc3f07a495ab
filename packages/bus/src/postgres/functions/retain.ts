// Applies retention to one log.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * Moves the horizon of one log to where its limits put it. True when nothing is left to do.
 */
export const retain = sql`
  create or replace function bus_retain(p_namespace text, p_max_events bigint, p_max_bytes bigint, p_max_age_ms bigint)
  returns boolean
  language plpgsql
  ${BY_KEYS}
  as $$
  begin
    return bus_cut(p_namespace, p_max_events, p_max_bytes, p_max_age_ms);
  end $$`;
